package smime

import (
	"slices"
	"sync"
)

// Severity says how much a finding weighs.
type Severity string

// The severities. An error is something Gmail's API cannot take; a warning
// breaks Google's published profile for publicly trusted roots, which an
// administrator's own root with a relaxed validation profile may be allowed; a
// note is good to know.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityNote    Severity = "note"
)

// Profile is what a chain is judged by.
type Profile string

// The profiles. Public is what Google asks of chains whose root it trusts itself.
// Private is what the API needs whoever trusts the root: for a root that an
// administrator adds in the Admin console.
const (
	ProfilePublic  Profile = "public"
	ProfilePrivate Profile = "private"
)

// Rule is one thing that [Check] looks at.
type Rule struct {
	ID       string   // stable: part of the JSON contract
	Severity Severity // of every finding of this rule
	// Profile is [ProfilePublic] for a rule of Google's profile for publicly
	// trusted roots, which a relaxed validation profile can lift; empty for
	// one that holds in both profiles.
	Profile Profile
	Where   string // the certificate's field, as RFC 5280 names it; empty where it is the whole certificate or chain
	Title   string // what the rule asks for
	Why     string // why it matters
	Ask     string // what to ask the authority for, or to do
	Source  string // the specification's section, or Google's page
}

// Rules lists all rules in the order in which their findings are reported.
//
// Errors are what a validation of the chain for mail finds, whoever added the root,
// and what Google documents without an exception: at least one intermediate, which
// an administrator's own root needs as well, and the list of keys, all along the
// chain. The rest of its profile is for the roots that Google trusts itself, and a
// warning. That a leaf's validity begins within 48 hours of its signing cannot be
// seen in the certificate and is no rule here.
func Rules() []Rule {
	return slices.Concat(chainRules(), statusRules(), intermediateRules(), leafRules())
}

// placedRule is a rule and its place among [Rules].
type placedRule struct {
	Rule
	place int
}

// ruleTable returns the rules by their identifiers. Nobody changes it.
var ruleTable = sync.OnceValue(func() map[string]placedRule {
	table := map[string]placedRule{}
	for i, rule := range Rules() {
		table[rule.ID] = placedRule{rule, i}
	}
	return table
})

// Find returns the rule of that identifier.
func Find(id string) (Rule, bool) {
	rule, found := ruleTable()[id]
	return rule.Rule, found
}

// The pages and specifications that rules come from.
const (
	googleProfiles = "Google, S/MIME certificate profiles (support.google.com/a/answer/7300887)"
	googleRoots    = "Google, root certificates for S/MIME (support.google.com/a/answer/13297070)"
	gmailAPI       = "Gmail API, users.settings.cse.keypairs"
)

// keyList is the keys that Google's profile lists, for people.
const keyList = "RSA 2048, 3072 or 4096, P-256 or P-384"
