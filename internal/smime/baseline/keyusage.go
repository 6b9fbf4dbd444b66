package baseline

import (
	"crypto/x509"
	"slices"
	"strings"
)

// The key usages that go together (RFC 5280 section 4.2.1.3).
const (
	signatures = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	onlyBits   = x509.KeyUsageEncipherOnly | x509.KeyUsageDecipherOnly
)

// possible returns the key usages that a kind of key can serve for: RFC 4055 and 3279
// (RSA), RFC 8813 (EC), RFC 9295 (EdDSA and X25519/448), RFC 9881 (ML-DSA), RFC 9935
// (ML-KEM).
func (k kind) possible() x509.KeyUsage {
	switch k {
	case kindRSA:
		return signatures | x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment
	case kindEC:
		return signatures | x509.KeyUsageKeyAgreement | onlyBits
	case kindX:
		return x509.KeyUsageKeyAgreement | onlyBits
	case kindEdDSA, kindMLDSA:
		return signatures
	case kindMLKEM:
		return x509.KeyUsageKeyEncipherment
	}
	return ^x509.KeyUsage(0)
}

// allowed returns the key usages of a profile, for a certificate with those: for
// signing, for encryption, or for both where the kind of key can do both (SMBR section
// 7.1.2.3 (e)). None are allowed for a combination that is for neither.
func (p Profile) allowed(k kind, usage x509.KeyUsage) (allowed x509.KeyUsage, known bool) {
	sign := usage&x509.KeyUsageDigitalSignature != 0 && k.possible()&x509.KeyUsageDigitalSignature != 0
	encrypting := k.possible() & (x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement)
	encrypt := usage&encrypting != 0
	if sign {
		allowed |= signatures
	}
	if encrypt {
		allowed |= encrypting
		if k == kindRSA && p.Generation != Strict {
			allowed |= x509.KeyUsageDataEncipherment
		}
		if k == kindEC {
			allowed |= onlyBits
		}
	}
	return allowed, sign || encrypt
}

func (c *checker) checkKeyUsage() {
	extension, usage := c.extension(2, 5, 29, 15), c.cert.KeyUsage
	switch {
	case extension.Id == nil:
		c.report("smbr-key-usage-missing", "it has no key usage")
		return
	case usage == 0:
		c.report("smbr-key-usage-missing", "its key usage has nothing set")
		return
	case !extension.Critical:
		c.report("smbr-key-usage-critical", "its key usage is not critical")
	}
	if usage&x509.KeyUsageCertSign != 0 {
		c.report("smbr-key-usage-authority", "its key usage has keyCertSign, which is an authority's")
	}
	if usage&onlyBits == onlyBits {
		c.report("smbr-key-usage-only", "its key usage has both encipherOnly and decipherOnly")
	}
	k := kindOf(c.cert)
	if wrong := usage &^ k.possible(); k != kindOther && wrong != 0 {
		c.report("smbr-key-usage-algorithm", "its key usage has %s, which is not for %s keys", usageNames(wrong), k)
	}
	if k == kindX || k == kindOther {
		c.report("smbr-key-usage-key", "what its key may be used for is not known: %s keys are not allowed", k)
		return
	}
	allowed, known := c.profile.allowed(k, usage)
	switch {
	case !known:
		c.report("smbr-key-usage-kind", "its key usage, %s, is neither for signing nor for encryption with %s keys", usageNames(usage), k)
	case usage&^allowed != 0:
		c.report("smbr-key-usage-prohibited", "its key usage has %s, which its profile does not allow", usageNames(usage&^allowed))
	}
}

// usageNames lists key usages.
func usageNames(usage x509.KeyUsage) string {
	var names []string
	for i, name := range []string{
		"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly",
	} {
		if usage&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// checkPurposes measures the extended key usage (SMBR section 7.1.2.3 (f)).
func (c *checker) checkPurposes() {
	usages := c.cert.ExtKeyUsage
	switch {
	case c.extension(2, 5, 29, 37).Id == nil:
		c.report("smbr-extended-key-usage-missing", "it has no extended key usage")
		return
	case !slices.Contains(usages, x509.ExtKeyUsageEmailProtection):
		c.report("smbr-extended-key-usage-mail", "its extended key usage lacks emailProtection")
	}
	wrong := c.profile.Generation == Strict && len(c.cert.UnknownExtKeyUsage) > 0
	for _, usage := range usages {
		switch usage {
		case x509.ExtKeyUsageEmailProtection:
		case x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageCodeSigning, x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageAny:
			wrong = true
		default:
			wrong = wrong || c.profile.Generation == Strict
		}
	}
	if wrong {
		c.report("smbr-extended-key-usage-prohibited", "its extended key usage has a purpose beside mail that its generation does not allow")
	}
}
