package smime

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
)

// checkNetscapeType checks that the old Netscape certificate type of chain[i], where
// there is one, says the same as its key usage, extended key usage and basic
// constraints.
func (c *checker) checkNetscapeType(i int, cert *x509.Certificate, rule string) {
	types, found := netscapeTypes(cert)
	if !found {
		return
	}
	if against := contradiction(cert, types); against != "" {
		c.report(rule, i, "its Netscape certificate type contradicts %s", against)
	}
}

// netscapeTypes reads the bits of nsCertType, the first one as bit 0.
func netscapeTypes(cert *x509.Certificate) (types asn1.BitString, found bool) {
	for _, e := range cert.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 1}) {
			var bits asn1.BitString
			_, err := asn1.Unmarshal(e.Value, &bits)
			return bits, err == nil
		}
	}
	return asn1.BitString{}, false
}

// The bits of nsCertType.
const (
	nsClient, nsServer, nsMail, nsObject = 0, 1, 2, 3
	nsServerCA, nsMailCA, nsObjectCA     = 5, 6, 7
)

// contradiction names the extension that says otherwise than nsCertType; "" where
// none does.
func contradiction(cert *x509.Certificate, types asn1.BitString) string {
	anyOf := func(bits ...int) bool {
		return slices.ContainsFunc(bits, func(bit int) bool { return types.At(bit) == 1 })
	}
	authority := anyOf(nsServerCA, nsMailCA, nsObjectCA)
	if authority != (cert.BasicConstraintsValid && cert.IsCA) {
		return "its basic constraints"
	}
	named := func(usages ...x509.ExtKeyUsage) bool {
		return slices.ContainsFunc(usages, func(usage x509.ExtKeyUsage) bool { return slices.Contains(cert.ExtKeyUsage, usage) })
	}
	if len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) > 0 && !named(x509.ExtKeyUsageAny) {
		switch {
		case anyOf(nsMail, nsMailCA) != named(x509.ExtKeyUsageEmailProtection),
			anyOf(nsClient) && !named(x509.ExtKeyUsageClientAuth),
			anyOf(nsServer) && !named(x509.ExtKeyUsageServerAuth),
			anyOf(nsServerCA) && !named(x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth),
			anyOf(nsObject, nsObjectCA) && !named(x509.ExtKeyUsageCodeSigning):
			return "its extended key usage"
		}
	}
	switch usage := cert.KeyUsage; {
	case usage == 0:
	case authority != (usage&x509.KeyUsageCertSign != 0),
		anyOf(nsObject) && usage&signing == 0,
		anyOf(nsMail) && usage&(signing|x509.KeyUsageKeyEncipherment|x509.KeyUsageKeyAgreement) == 0:
		return "its key usage"
	}
	return ""
}
