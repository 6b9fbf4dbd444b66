package baseline

import (
	"slices"
	"sync"

	"github.com/cse-piv/cse-piv/internal/smime"
)

// Rules lists the rules in the order in which [Check] reports what breaks them.
func Rules() []smime.Rule { return slices.Concat(formRules(), nameRules(), extensionRules()) }

// All lists the rules of package smime and then those of this package: all that a
// certificate is checked by.
func All() []smime.Rule { return slices.Concat(smime.Rules(), Rules()) }

// Find returns the rule of that identifier, among [All].
func Find(id string) (smime.Rule, bool) {
	if rule, found := smime.Find(id); found {
		return rule, true
	}
	rule, found := ruleTable()[id]
	return rule.Rule, found
}

// placedRule is a rule and its place among [Rules].
type placedRule struct {
	smime.Rule
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

// row is a rule of this package: all are notes, and all are for publicly trusted roots.
type row struct{ id, where, title, why, ask, source string }

func rules(rows []row) (list []smime.Rule) {
	for _, r := range rows {
		list = append(list, smime.Rule{
			ID: r.id, Severity: smime.SeverityNote, Profile: smime.ProfilePublic, Where: r.where, Title: r.title, Why: r.why, Ask: r.ask, Source: r.source,
		})
	}
	return list
}

// Why rules matter, and what to ask the authority for, where several share it.
const (
	whyRfc      = "A program that keeps to RFC 5280 may refuse the certificate."
	whyBind     = "Authorities that mail programs trust have to keep to it."
	whyCritical = "A program that does not know a critical extension has to refuse the certificate."
	whySubject  = "What a certificate says of its holder is verified as its validation type says, and nothing else may stand there."
	whyMail     = "Programs look for the address in the subject alternative name, and an address anywhere else was perhaps not verified."
	whyOrg      = "Programs find the organization in its register by it."
	whyRevoke   = "Programs find out there whether the certificate was revoked."
	whyAccess   = "Programs find the issuer's certificate, and the revocation state, there."
	whyVerify   = "Programs that do not know the algorithm or the encoding refuse the certificate."
	whyUsage    = "Programs use a key only for what its key usage allows."
	whyPath     = "Programs find the issuer, and tell authorities of the same name apart, by it."

	askAnother = "Ask the authority for a certificate that keeps to this rule."
	askPolicy  = "Ask for a certificate with the one policy that says how the user was verified."
	askSan     = "Ask for the address in the subject alternative name, as rfc822Name or, with a local part that is not ASCII, as SmtpUTF8Mailbox."
	askOrg     = "Ask the authority to correct the organizationIdentifier."
	askRevoke  = "Ask for a CRL distribution point with a public http address."
	askAccess  = "Ask for authority information access with public http addresses."
	askUsage   = "Ask for critical key usage: digitalSignature for signing, and keyEncipherment (RSA) or keyAgreement (EC) for encryption."
)

// formRules are about the certificate's form, its validity and its policies.
func formRules() []smime.Rule {
	return rules([]row{
		{"smbr-version", "version", "it is an X.509 version 3 certificate",
			whyRfc, askAnother, "RFC 5280 section 4.1.2.1"},
		{"smbr-serial", "serialNumber", "its serial number is positive and at most 20 octets long",
			whyRfc, askAnother, "RFC 5280 section 4.1.2.2"},
		{"smbr-signature-algorithm", "signatureAlgorithm", "it is signed with RSA, ECDSA, EdDSA or ML-DSA and a hash of the SHA-2 family, encoded as the requirements say",
			whyVerify, askAnother, "SMBR section 7.1.3.2"},
		{"smbr-issuer", "issuer", "its issuer has a name",
			whyRfc, askAnother, "RFC 5280 section 4.1.2.4"},
		{"smbr-time", "validity", "times before 2050 are written as UTCTime, with seconds, in UTC",
			whyRfc, askAnother, "RFC 5280 section 4.1.2.5"},
		{"smbr-validity-negative", "validity", "its validity ends after it begins",
			whyRfc, askAnother, "RFC 5280 section 4.1.2.5"},
		{"smbr-validity", "validity", "it is valid for at most 825 days (1185 in the legacy generation)",
			whyBind, "Ask for a shorter validity.", "SMBR section 6.3.2"},
		{"smbr-validity-maximum", "validity", "it is valid for less than the longest time that is allowed",
			"A leap second or a clock that differs makes a certificate of the longest time one that is too long.", "Ask for a validity that is a day shorter.", "SMBR section 6.3.2"},
		{"smbr-encoding", "", "its extensions and names are encoded as they have to be",
			"A program that reads them strictly refuses the certificate.", askAnother, "RFC 5280 appendix A; X.690"},
		{"smbr-unique-id", "", "it has no unique identifiers beside its names",
			whyRfc, askAnother, "RFC 5280 section 4.1.2.8"},
		{"smbr-authority", "extensions.basicConstraints", "it is no authority's",
			whyBind, askAnother, "SMBR section 7.1.2.3 (d)"},
		{"smbr-path-length", "extensions.basicConstraints", "it has no path length",
			whyRfc, askAnother, "RFC 5280 section 4.2.1.9"},
		{"smbr-name-constraints", "extensions.nameConstraints", "it has no name constraints",
			whyRfc, askAnother, "RFC 5280 section 4.2.1.10"},
		{"smbr-policies-missing", "extensions.certificatePolicies", "it has certificate policies",
			whyBind, askPolicy, "SMBR section 7.1.2.3 (a)"},
		{"smbr-policy", "extensions.certificatePolicies", "one of its policies is the CA/Browser Forum's: 2.23.140.1.5, the validation type, the generation",
			"The policy says how the authority verified the user, and by which rules the certificate is judged.", askPolicy, "SMBR section 7.1.6.1"},
		{"smbr-policy-several", "extensions.certificatePolicies", "only one of its policies is the CA/Browser Forum's",
			"Programs cannot tell which rules hold.", askPolicy, "SMBR section 7.1.2.3 (a)"},
		{"smbr-legacy", "extensions.certificatePolicies", "it is not of the legacy generation",
			"No such certificate may be issued since 15 July 2025.", "Ask for a certificate of the multipurpose or strict generation.", "SMBR section 7.1.6.1"},
		{"smbr-any-policy", "extensions.certificatePolicies", "anyPolicy is none of its policies",
			"It says nothing about the user.", askPolicy, "SMBR section 7.1.2.3 (a)"},
		{"smbr-policy-twice", "extensions.certificatePolicies", "it has each policy once",
			whyRfc, askAnother, "RFC 5280 section 4.2.1.4"},
		{"smbr-policy-qualifier", "extensions.certificatePolicies", "its policies have no qualifiers",
			"They make the certificate larger, and few programs show them.", "Nothing; with the next certificate ask for policies without qualifiers.", "RFC 5280 section 4.2.1.4"},
		{"smbr-cps", "extensions.certificatePolicies", "the address of its practice statement is http or https",
			whyBind, askAnother, "SMBR section 7.1.2.3 (a)"},
		{"smbr-user-notice", "extensions.certificatePolicies", "a user notice is a plain text in UTF-8",
			whyBind, askAnother, "SMBR section 7.1.2.3 (a); RFC 5280 section 4.2.1.4"},
		{"smbr-policies-critical", "extensions.certificatePolicies", "its policies are not critical",
			whyCritical, askAnother, "SMBR section 7.1.2.3 (a)"},
	})
}
