package smime

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/format"
)

const (
	// maxValidityMonths is the longest validity of a leaf in Google's profile.
	maxValidityMonths = 27
	// maxValidityDays is the longest validity in the CA/Browser Forum's requirements
	// for S/MIME (section 6.3.2), always a few days longer than 27 months.
	maxValidityDays = 825
	// expiresSoon is how long before its end a leaf is worth a note.
	expiresSoon = 30 * 24 * time.Hour
	// minSerialBits is the shortest serial number that may still hold 64 random
	// bits: leading zeros shorten one random number in 256 by eight bits.
	minSerialBits = 56
)

// checkLeafProfile measures a leaf against Google's profile. Of days the validity's last
// second is one more (RFC 5280 section 4.1.2.5); months go from date to date.
func (c *checker) checkLeafProfile(leaf *x509.Certificate) {
	from, to := leaf.NotBefore.UTC(), leaf.NotAfter.UTC()
	switch {
	case to.Add(time.Second).After(from.AddDate(0, 0, maxValidityDays)):
		c.report(ruleValidity, 0, "it is valid from %s to %s, longer than %d months and %d days",
			format.Day(from), format.Day(to), maxValidityMonths, maxValidityDays)
	case to.After(from.AddDate(0, maxValidityMonths, 0)):
		c.report(ruleValidityDays, 0, "it is valid from %s to %s, longer than the %d months of Google's profile, and within the %d days that authorities may give",
			format.Day(from), format.Day(to), maxValidityMonths, maxValidityDays)
	}
	if left := leaf.NotAfter.Sub(c.options.Now); left >= 0 && left < expiresSoon {
		c.report(ruleExpiresSoon, 0, "it expires on %s", format.Day(leaf.NotAfter))
	}
	if leaf.SerialNumber.Sign() <= 0 || leaf.SerialNumber.BitLen() < minSerialBits || serialOctets(leaf) > maxSerialOctets {
		c.report(ruleSerial, 0, "its serial number of %d bits is not a positive one of 64 random bits or more, 20 octets or less", leaf.SerialNumber.BitLen())
	}
	if !acceptedSignature(leaf) {
		c.report(ruleLeafSignature, 0, "it is signed with %s", signatureName(leaf))
	}
	c.checkKeyUsage(leaf)
	c.checkExtKeyUsage(leaf)
	c.checkNames(leaf)
	c.checkPolicies(leaf)
	c.checkCRL(0, leaf, ruleCRL, ruleCRLPublic)
	c.checkAccess(leaf)
	c.checkNetscapeType(0, leaf, ruleNetscape)
}

// checkAccess checks that the authority information access names a public http
// address for the issuer's certificate and, where it names an OCSP responder, for that.
func (c *checker) checkAccess(leaf *x509.Certificate) {
	for _, access := range []struct {
		method    string
		addresses []string
	}{{"caIssuers", leaf.IssuingCertificateURL}, {"ocsp", leaf.OCSPServer}} {
		switch web, public := webAddress(access.addresses); {
		case len(access.addresses) == 0 && access.method == "ocsp":
		case len(access.addresses) == 0:
			c.report(ruleAIA, 0, "its authority information access does not say where its issuer's certificate is (caIssuers)")
		case web == "":
			c.report(ruleAIA, 0, "its authority information access names %s for %s, and no http address", listed(access.addresses), access.method)
		case !public:
			c.report(ruleAIAPublic, 0, "its authority information access names %s for %s, which cannot be reached from the internet", web, access.method)
		}
	}
}

// signing are the key usages that let a key sign mail (RFC 8550 section 4.4.2).
const signing = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment

// encrypting is the key usage that lets mail be encrypted to the leaf's key.
func encrypting(leaf *x509.Certificate) x509.KeyUsage {
	if _, ok := publicKey(leaf).(*rsa.PublicKey); ok {
		return x509.KeyUsageKeyEncipherment
	}
	return x509.KeyUsageKeyAgreement
}

// Allows reports whether a leaf's key usage lets its key sign mail, and lets mail
// be encrypted to it. A leaf without a key usage allows both.
func Allows(leaf *x509.Certificate) (sign, encrypt bool) {
	if leaf.KeyUsage == 0 {
		return true, true
	}
	return leaf.KeyUsage&signing != 0, leaf.KeyUsage&encrypting(leaf) != 0
}

func (c *checker) checkKeyUsage(leaf *x509.Certificate) {
	usage, encrypting := leaf.KeyUsage, encrypting(leaf)
	switch {
	case usage == 0:
		c.report(ruleKeyUsage, 0, "it has no key usage")
		return
	case usage&signing == 0 && usage&encrypting != 0 && c.options.Use == certificate.UseEncrypt:
		c.report(ruleEncryptOnly, 0, "it is for encryption only; Google's profile asks for digitalSignature or nonRepudiation too, and may refuse it")
	case usage&signing == 0:
		c.report(ruleKeyUsage, 0, "its key usage has neither digitalSignature nor nonRepudiation, so mail cannot be signed with it")
	}
	if !critical(leaf, asn1.ObjectIdentifier{2, 5, 29, 15}) {
		c.report(ruleKeyUsageCrit, 0, "its key usage is not critical")
	}
	if (c.options.Use == certificate.UseEncrypt || c.options.Use == certificate.UseBoth) && usage&encrypting == 0 && canEncrypt(publicKey(leaf)) {
		name := "keyAgreement"
		if encrypting == x509.KeyUsageKeyEncipherment {
			name = "keyEncipherment"
		}
		c.report(ruleCannotEncrypt, 0, "its key usage lacks %s, so mail cannot be encrypted to it", name)
	}
}

// canEncrypt tells whether mail could be encrypted to a key of that kind, if its
// certificate allowed it. Of the others the key itself is what is wrong.
func canEncrypt(key crypto.PublicKey) bool {
	switch key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
		return true
	}
	return false
}

func (c *checker) checkExtKeyUsage(leaf *x509.Certificate) {
	if !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) && !certpath.ExcludesMail(leaf) {
		c.report(ruleEKU, 0, "its extended key usage lacks emailProtection")
	}
	for _, forbidden := range []struct {
		usage x509.ExtKeyUsage
		name  string
	}{
		{x509.ExtKeyUsageServerAuth, "serverAuth"},
		{x509.ExtKeyUsageCodeSigning, "codeSigning"},
		{x509.ExtKeyUsageTimeStamping, "timeStamping"},
		{x509.ExtKeyUsageAny, "anyExtendedKeyUsage"},
	} {
		if slices.Contains(leaf.ExtKeyUsage, forbidden.usage) {
			c.report(ruleEKUForbidden, 0, "its extended key usage has %s", forbidden.name)
		}
	}
}

func (c *checker) checkNames(leaf *x509.Certificate) {
	mailboxes := utf8Mailboxes(leaf)
	switch {
	case len(leaf.EmailAddresses) > 0:
	case len(mailboxes) > 0:
		c.report(ruleSAN, 0, "its subject alternative name has no rfc822Name: %s stands there as SmtpUTF8Mailbox", listed(mailboxes))
	default:
		c.report(ruleSAN, 0, "its subject alternative name has no rfc822Name")
	}
	for _, forbidden := range []struct {
		count int
		name  string
	}{
		{len(leaf.DNSNames), "dNSName"},
		{len(leaf.IPAddresses), "iPAddress"},
		{len(leaf.URIs), "URI"},
	} {
		if forbidden.count > 0 {
			c.report(ruleSANForbidden, 0, "its subject alternative name has a %s", forbidden.name)
		}
	}
	for _, address := range subjectAddresses(leaf) {
		if !containsAddress(leaf.EmailAddresses, address) && !containsAddress(mailboxes, address) {
			c.report(ruleSubjectEmail, 0, "the address %s in its subject is not in the subject alternative name", address)
		}
	}
}

func (c *checker) checkPolicies(leaf *x509.Certificate) {
	anyPolicy := asn1.ObjectIdentifier{2, 5, 29, 32, 0}
	switch {
	case len(leaf.Policies) == 0:
		c.report(rulePolicies, 0, "it has no certificate policy")
	case slices.ContainsFunc(leaf.Policies, func(id x509.OID) bool { return id.EqualASN1OID(anyPolicy) }):
		c.report(rulePolicies, 0, "its certificate policy is anyPolicy")
	}
}
