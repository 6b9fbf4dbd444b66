package smime

import (
	"bytes"
	"crypto/x509"
	"slices"
	"time"
)

// day is how dates are shown.
const day = "2006-01-02"

// checkChain checks that the chain verifies. x509.Certificate.Verify stops at
// the first fault and says little about it, so each step is looked at here; it
// has the last word on what is left: name constraints and critical extensions.
func (c *checker) checkChain() {
	before := len(c.findings)
	last := len(c.chain) - 1
	for i, cert := range c.chain {
		c.checkTime(i, cert)
		switch root := c.verifier.IsSelfSigned(cert); {
		case root && i == 0:
			c.report(ruleSelfSigned, 0, "%s is signed by itself, not by an authority", subject(cert))
		case root && i < last:
			c.report(ruleAfterRoot, i, "the root %s should be the last certificate; number following it: %d", subject(cert), last-i)
		case root:
		case i < last:
			c.checkLink(i, cert, c.chain[i+1])
		case bytes.Equal(cert.RawIssuer, cert.RawSubject):
			c.report(ruleSignature, i, "the signature that %s made on itself does not verify", subject(cert))
		default:
			c.report(ruleNoRoot, i, "the certificate of %s, which issued %s, is missing", cert.Issuer, subject(cert))
		}
		if i > 0 {
			c.checkAuthority(i, cert)
		}
		if excludesMail(cert) {
			c.report(rulePurpose, i, "the extended key usage of %s leaves out mail", subject(cert))
		}
	}
	if last == 1 && c.verifier.IsSelfSigned(c.chain[1]) {
		c.report(ruleDirectIssue, 0, "the root %s issued it directly; Google wants at least one intermediate", subject(c.chain[1]))
	}
	if !HasErrors(c.findings[before:]) {
		if err := c.verifier.Verify(c.chain, c.options.Now); err != nil {
			c.report(ruleConstraints, 0, "the chain does not verify: %v", err)
		}
	}
}

// excludesMail tells whether a certificate's extended key usage names purposes, and
// neither emailProtection nor any (RFC 5280 section 4.2.1.12, RFC 8550 section 4.4.4).
// One without an extended key usage excludes nothing.
func excludesMail(cert *x509.Certificate) bool {
	return len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) > 0 &&
		!slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) && !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny)
}

func (c *checker) checkTime(i int, cert *x509.Certificate) {
	now := c.options.Now
	switch {
	case now.After(cert.NotAfter):
		c.report(ruleExpired, i, "%s was valid until %s", subject(cert), cert.NotAfter.UTC().Format(day))
	case now.Before(cert.NotBefore):
		c.report(ruleNotYetValid, i, "%s is valid from %s; is this computer's clock right?", subject(cert), cert.NotBefore.UTC().Format(time.RFC3339))
	}
}

// checkLink checks that issuer issued cert, which is chain[i].
func (c *checker) checkLink(i int, cert, issuer *x509.Certificate) {
	switch {
	case !bytes.Equal(cert.RawIssuer, issuer.RawSubject):
		c.report(ruleIssuer, i, "%s was issued by %s, but %s comes next", subject(cert), cert.Issuer, subject(issuer))
	case !c.verifier.SignedBy(cert, issuer):
		c.report(ruleSignature, i, "%s was not signed by the key of %s", subject(cert), subject(issuer))
	}
}

// checkAuthority checks that chain[i] may issue (RFC 5280 section 6.1.4).
func (c *checker) checkAuthority(i int, cert *x509.Certificate) {
	switch {
	case cert.Version < 3 && c.verifier.IsSelfSigned(cert):
		// Roots older than basic constraints are trusted as they are.
	case !cert.BasicConstraintsValid || !cert.IsCA:
		c.report(ruleNotCA, i, "%s is not an authority's certificate", subject(cert))
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0:
		c.report(ruleNotCA, i, "the key usage of %s leaves out signing certificates", subject(cert))
	case hasPathLen(cert) && cert.MaxPathLen < c.authoritiesBelow(i):
		c.report(rulePathLength, i, "%s allows %d authorities below it, there are %d", subject(cert), cert.MaxPathLen, c.authoritiesBelow(i))
	}
}

// authoritiesBelow counts the certificates between chain[i] and the leaf that
// are not self-issued.
func (c *checker) authoritiesBelow(i int) int {
	n := 0
	for _, cert := range c.chain[1:i] {
		if !bytes.Equal(cert.RawIssuer, cert.RawSubject) {
			n++
		}
	}
	return n
}

func hasPathLen(cert *x509.Certificate) bool { return cert.MaxPathLen > 0 || cert.MaxPathLenZero }
