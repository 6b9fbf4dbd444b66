package baseline

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"

	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// Check measures a user's certificate, and returns what it finds in the order of
// [Rules]. It is judged by the profile that its policy names, or else by the one given.
func Check(leaf *x509.Certificate, otherwise Profile) []smime.Finding {
	c := &checker{cert: leaf, profile: otherwise}
	if profiles := profilesOf(leaf); len(profiles) > 0 {
		c.profile = profiles[0]
	}
	c.names, c.malformed = readGeneralNames(c.extension(2, 5, 29, 17).Value)
	for _, check := range []func(){
		c.checkBasics, c.checkPolicies, c.checkValidity, c.checkSubject, c.checkAlternativeNames, c.checkRevocation, c.checkAccess,
		c.checkKey, c.checkKeyUsage, c.checkPurposes, c.checkKeyIDs, c.checkExtensions, c.checkLEI, c.checkQC,
	} {
		check()
	}
	rules := ruleTable()
	slices.SortStableFunc(c.findings, func(a, b smime.Finding) int { return rules[a.ID].place - rules[b.ID].place })
	return c.findings
}

// checker is one run of Check.
type checker struct {
	cert      *x509.Certificate
	profile   Profile
	names     []generalName // of the subject alternative name
	malformed bool          // that one cannot be read
	findings  []smime.Finding
}

// report adds a finding. The arguments may come from outside.
func (c *checker) report(id, format string, args ...any) {
	c.reportAt(id, ruleTable()[id].Where, format, args...)
}

// reportAt adds a finding about another field than the rule's.
func (c *checker) reportAt(id, where, format string, args ...any) {
	c.findings = append(c.findings, smime.Finding{
		ID: id, Severity: smime.SeverityNote, Certificate: "leaf", Where: where, Message: safetext.Clean(fmt.Sprintf(format, args...)),
	})
}

// extension returns an extension; its Id is nil where it is not there.
func (c *checker) extension(id ...int) pkix.Extension {
	for _, e := range c.cert.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier(id)) {
			return e
		}
	}
	return pkix.Extension{}
}
