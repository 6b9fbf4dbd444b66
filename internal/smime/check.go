package smime

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Finding is something that [Check] has against a chain. The JSON names are a
// contract.
type Finding struct {
	ID          string   `json:"id"` // of the rule, see [Rules]
	Severity    Severity `json:"severity"`
	Message     string   `json:"message"`               // for people; control characters are stripped
	Certificate string   `json:"certificate,omitempty"` // which one: "leaf", "intermediate 1" (the leaf's issuer) and up, "root"
	Where       string   `json:"where,omitempty"`       // the field in it, as RFC 5280 names it: "extensions.subjectAltName"
}

// CheckOptions says what a chain is wanted for. Zero fields are not asked.
type CheckOptions struct {
	Email     string           // the user's primary address
	PublicKey crypto.PublicKey // the key on the card
	Use       certificate.Use  // what the key is to be registered for
	Profile   Profile          // empty means public
	Now       time.Time        // zero means the current time
	// NoPath is why [certpath.Verifier.Build] found no path up to a root, nil where it did: the
	// end of a chain does not tell a missing issuer from one that leads nowhere.
	NoPath *certpath.NoPathError
	Sources
}

// Check measures a chain (leaf first, root last, none nil; see [certpath.Verifier.Build]) against what
// Gmail's API needs and against Google's published profile, and returns what it
// finds, in the order of [Rules]. Where Google's profile for publicly trusted roots is
// broken, one finding says that the domain has to trust the root with a relaxed
// validation profile, and by which rules; by [ProfilePrivate] it stands for theirs. Whether a
// certificate was revoked is asked last, of a chain without errors.
func Check(v *certpath.Verifier, chain []*x509.Certificate, options CheckOptions) []Finding {
	c := &checker{verifier: v, chain: chain, options: options}
	if c.options.Now.IsZero() {
		c.options.Now = time.Now()
	}
	c.run()
	c.checkRevocation()
	c.relax()
	rules := ruleTable()
	slices.SortStableFunc(c.findings, func(a, b Finding) int { return rules[a.ID].place - rules[b.ID].place })
	return c.findings
}

// HasErrors tells whether a finding has [SeverityError].
func HasErrors(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == SeverityError })
}

// checker is one run of Check.
type checker struct {
	verifier *certpath.Verifier
	chain    []*x509.Certificate
	options  CheckOptions
	findings []Finding
}

// report adds a finding about chain[i], in the field that its rule is about; i < 0
// means the chain as a whole. The arguments may come from outside.
func (c *checker) report(id string, i int, format string, args ...any) {
	c.reportAt(id, i, ruleTable()[id].Where, format, args...)
}

// reportAt adds a finding about another field than its rule's.
func (c *checker) reportAt(id string, i int, where, format string, args ...any) {
	f := Finding{ID: id, Severity: ruleTable()[id].Severity, Message: safetext.Clean(fmt.Sprintf(format, args...))}
	if i >= 0 {
		f.Where = where
		f.Certificate = c.role(i)
	}
	c.findings = append(c.findings, f)
}

// relax adds the finding about the validation profile that the root needs. By the
// private profile it replaces those of the rules that it names.
func (c *checker) relax() {
	public := func(f Finding) bool { return ruleTable()[f.ID].Profile == ProfilePublic }
	var broken []string
	for _, f := range c.findings {
		if public(f) && f.Severity == SeverityWarning && !slices.Contains(broken, f.ID) {
			broken = append(broken, f.ID)
		}
	}
	if c.options.Profile == ProfilePrivate {
		c.findings = slices.DeleteFunc(c.findings, public)
	}
	if len(broken) > 0 {
		c.report(ruleRelaxed, -1, "its root has to be added in the Admin console with a relaxed validation profile: it breaks %s",
			strings.Join(broken, ", "))
	}
}

// role names the place of chain[i].
func (c *checker) role(i int) string {
	switch {
	case i == 0:
		return "leaf"
	case c.verifier.IsSelfSigned(c.chain[i]): // wherever it stands
		return "root"
	}
	return fmt.Sprintf("intermediate %d", i)
}

func (c *checker) run() {
	if len(c.chain) == 0 {
		c.report(ruleEmpty, -1, "there is no certificate")
		return
	}
	c.checkChain()
	leaf := c.chain[0]
	if leaf.IsCA {
		c.report(ruleNoLeaf, 0, "%s belongs to an authority; the user's own certificate is missing", subject(leaf))
	}
	c.checkLeafNeeds(leaf)
	if !leaf.IsCA {
		c.checkLeafProfile(leaf)
	}
	for i, cert := range c.chain {
		switch {
		case i == 0:
		case c.verifier.IsSelfSigned(cert):
			if !acceptedKey(publicKey(cert)) {
				c.report(ruleRootKey, i, "its key is %s", certificate.KeyName(cert))
			}
		default:
			c.checkIntermediate(i, cert)
		}
	}
}

// checkLeafNeeds checks what the API cannot do without.
func (c *checker) checkLeafNeeds(leaf *x509.Certificate) {
	key := publicKey(leaf)
	if !acceptedKey(key) {
		c.report(ruleLeafKey, 0, "its key is %s; Gmail takes RSA 2048, 3072 and 4096, P-256 and P-384", certificate.KeyName(leaf))
	}
	if fault := weakness(key); fault != "" {
		c.report(ruleWeakKey, 0, "%s", fault)
	}
	if want := c.options.PublicKey; want != nil && !certificate.SameKey(key, want) {
		c.report(ruleKeyMismatch, 0, "it is for another key than the one on the card")
	}
	c.checkAddress(leaf)
}

func (c *checker) checkAddress(leaf *x509.Certificate) {
	email, addresses := c.options.Email, EmailAddresses(leaf)
	switch {
	case email == "" && !leaf.IsCA && !slices.ContainsFunc(addresses, safetext.IsAddress):
		c.report(ruleAddress, 0, "it names no mail address, and so cannot be registered for anybody")
	case email == "":
	case len(addresses) == 0:
		c.report(ruleAddress, 0, "it names no mail address, and so not %s", email)
	case !containsAddress(addresses, email):
		c.report(ruleAddress, 0, "it is for %s, not for %s", listed(addresses), email)
	case !slices.Contains(addresses, email):
		c.report(ruleAddressCase, 0, "it spells the address %s differently: %s", email, listed(addresses))
	}
}

// listed shows at most three of a list.
func listed(values []string) string {
	const most = 3
	text := ""
	for i, value := range values {
		switch {
		case i == most:
			return fmt.Sprintf("%s and %d more", text, len(values)-most)
		case i > 0:
			text += ", "
		}
		text += value
	}
	return text
}
