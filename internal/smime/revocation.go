package smime

import (
	"crypto/x509"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/format"
)

// The identifiers of the rules for what the issuers say today.
const (
	ruleRevoked           = "chain-revoked"
	ruleRevocationUnknown = "chain-revocation-unknown"
	ruleRevocationNeeded  = "chain-revocation-required"
)

// statusRules are about what cannot be seen in a certificate.
func statusRules() []Rule {
	const whyRevoked = "Others are warned of mail that was signed with a revoked certificate, and Gmail may refuse it at any time."
	return []Rule{
		{ID: ruleRevoked, Severity: SeverityError,
			Title:  "no certificate was revoked by its issuer",
			Why:    whyRevoked,
			Ask:    "Ask why it was revoked, and for another certificate.",
			Source: "RFC 5280 section 6.3, RFC 6960"},
		{ID: ruleRevocationUnknown, Severity: SeverityWarning, Where: "extensions.cRLDistributionPoints",
			Title:  "whether a certificate was revoked can be found out",
			Why:    whyRevoked + " Gmail has to reach the same address.",
			Ask:    "Ask for certificates whose revocation list or OCSP responder can be reached at an http address, and is in force.",
			Source: "RFC 5280 section 6.3, RFC 6960"},
		{ID: ruleRevocationNeeded, Severity: SeverityError, Where: "extensions.cRLDistributionPoints",
			Title:  "whether a certificate was revoked can be found out, where that was asked for",
			Why:    whyRevoked,
			Ask:    "Try again when the address answers, or take the certificate without knowing.",
			Source: "RFC 5280 section 6.3, RFC 6960"},
	}
}

// checkRevocation asks for each certificate below the root whether it was revoked. It is
// asked of chains alone whose signatures hold, so that the addresses are those that an
// authority wrote.
func (c *checker) checkRevocation() {
	ask := c.options.Revocation
	if ask == nil || HasErrors(c.findings) {
		return
	}
	for i, cert := range c.chain[:len(c.chain)-1] {
		status := ask(cert, c.chain[i+1])
		switch {
		case status.State == certificate.RevocationRevoked:
			why := ""
			if status.Reason != "" {
				why = " (" + status.Reason + ")"
			}
			c.report(ruleRevoked, i, "%s was revoked on %s%s, says %s", subject(cert), format.Day(status.At), why, status.Source)
		case status.State == certificate.RevocationGood:
		case c.options.RevocationRequired:
			c.report(ruleRevocationNeeded, i, "it is not known whether %s was revoked: %v", subject(cert), status.Err)
		default:
			c.report(ruleRevocationUnknown, i, "it is not known whether %s was revoked: %v", subject(cert), status.Err)
		}
	}
}

// Sources are asked about certificates over the network; of the zero value nobody is.
type Sources struct {
	// Fetch is [certpath.Options]'s.
	Fetch func(cert *x509.Certificate) []*x509.Certificate
	// Revocation tells whether issuer revoked cert.
	Revocation func(cert, issuer *x509.Certificate) certificate.Revocation
	// RevocationRequired makes it an error where the answer is not known.
	RevocationRequired bool
}
