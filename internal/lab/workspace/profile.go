package workspace

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// checkProfile applies Google's published S/MIME certificate profiles, as far
// as they go beyond verifyChain, for domains with Config.StrictProfile.
func checkProfile(chain []*x509.Certificate) error {
	for i, c := range chain[:len(chain)-1] {
		if !hasHTTPPoint(c.CRLDistributionPoints) {
			return fmt.Errorf("certificate %d has no http CRL distribution point", i+1)
		}
		switch c.SignatureAlgorithm {
		case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
			x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		default:
			return fmt.Errorf("certificate %d has the signature algorithm %s", i+1, c.SignatureAlgorithm)
		}
		if c.SerialNumber.Sign() <= 0 || c.SerialNumber.BitLen() >= 160 {
			return fmt.Errorf("certificate %d has a serial number that is not positive or has more than 20 octets", i+1)
		}
		if !isCritical(c, keyUsageID) {
			return fmt.Errorf("certificate %d has no critical key usage", i+1)
		}
		if err := checkNetscape(c); err != nil {
			return fmt.Errorf("certificate %d: %w", i+1, err)
		}
		if i > 0 && (c.Version != 3 || !isCritical(c, basicConstraintsID)) {
			return fmt.Errorf("certificate %d is not of version 3 with critical basic constraints", i+1)
		}
	}
	if !hasUsage(chain[1], x509.ExtKeyUsageEmailProtection) {
		return errors.New("the issuing intermediate lacks the extended key usage emailProtection")
	}
	return checkLeafProfile(chain[0])
}

func checkLeafProfile(leaf *x509.Certificate) error {
	switch {
	case leaf.NotAfter.Sub(leaf.NotBefore)+time.Second > 825*24*time.Hour:
		// The page says 27 months; the authorities that Google trusts give 825 days.
		return errors.New("the leaf is valid for more than 27 months, and more than 825 days")
	case !hasHTTPPoint(leaf.IssuingCertificateURL):
		return errors.New("the leaf's authority information access has no http address for caIssuers")
	case len(leaf.OCSPServer) > 0 && !hasHTTPPoint(leaf.OCSPServer):
		return errors.New("the leaf's authority information access has no http address for ocsp")
	case leaf.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0:
		return errors.New("the leaf's key usage has neither digitalSignature nor nonRepudiation")
	case !hasUsage(leaf, x509.ExtKeyUsageEmailProtection):
		return errors.New("the leaf lacks the extended key usage emailProtection")
	case len(leaf.EmailAddresses) == 0:
		return errors.New("the leaf has no rfc822Name")
	case len(leaf.DNSNames)+len(leaf.IPAddresses)+len(leaf.URIs) != 0:
		return errors.New("the leaf has alternative names that are no addresses")
	case len(missingAddresses(leaf)) > 0:
		return errors.New("an address in the leaf's subject is missing in its alternative names")
	case len(leaf.Policies) == 0:
		return errors.New("the leaf has no certificate policies")
	case leaf.SerialNumber.BitLen() < 56:
		// 64 random bits leave fewer than 56 once in 256 certificates.
		return errors.New("the leaf's serial number is not 64 random bits")
	}
	for _, usage := range leaf.ExtKeyUsage {
		switch usage {
		case x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageCodeSigning, x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageAny:
			return errors.New("the leaf has an extended key usage that does not go with emailProtection")
		}
	}
	anyPolicy := asn1.ObjectIdentifier{2, 5, 29, 32, 0}
	for _, policy := range leaf.Policies {
		if policy.EqualASN1OID(anyPolicy) {
			return errors.New("the leaf asserts anyPolicy")
		}
	}
	return nil
}

// checkNetscape compares nsCertType (bits from the left: client, server, mail, code,
// reserved, and the same for authorities) with what else a certificate says of itself.
func checkNetscape(c *x509.Certificate) error {
	for _, e := range c.Extensions {
		if e.Id.String() != "2.16.840.1.113730.1.1" || len(e.Value) != 4 {
			continue
		}
		bits := e.Value[3]
		switch mail := hasUsage(c, x509.ExtKeyUsageEmailProtection); {
		case c.IsCA != (bits&0x07 != 0):
			return errors.New("nsCertType and basic constraints differ")
		case len(c.ExtKeyUsage) > 0 && mail != (bits&0x22 != 0),
			bits&0x40 != 0 && !hasUsage(c, x509.ExtKeyUsageServerAuth), bits&0x10 != 0 && !hasUsage(c, x509.ExtKeyUsageCodeSigning):
			return errors.New("nsCertType and extended key usage differ")
		}
	}
	return nil
}

func hasHTTPPoint(points []string) bool { return slices.ContainsFunc(points, isHTTP) }

func isHTTP(place string) bool { return strings.HasPrefix(strings.ToLower(place), "http://") }

var (
	keyUsageID         = asn1.ObjectIdentifier{2, 5, 29, 15}
	basicConstraintsID = asn1.ObjectIdentifier{2, 5, 29, 19}
)

// isCritical is false for an extension that is not there, too.
func isCritical(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(id) && e.Critical })
}

func hasUsage(c *x509.Certificate, want x509.ExtKeyUsage) bool {
	for _, usage := range c.ExtKeyUsage {
		if usage == want {
			return true
		}
	}
	return false
}
