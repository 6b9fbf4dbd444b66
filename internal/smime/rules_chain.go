package smime

// The identifiers of the rules for a chain as a whole.
const (
	ruleEmpty       = "chain-empty"
	ruleNoLeaf      = "chain-no-leaf"
	ruleSelfSigned  = "leaf-self-signed"
	ruleIssuer      = "chain-issuer"
	ruleSignature   = "chain-signature"
	ruleAlgorithm   = "chain-algorithm"
	ruleNoRoot      = "chain-no-root"
	ruleAfterRoot   = "chain-after-root"
	ruleExpired     = "chain-expired"
	ruleNotYetValid = "chain-not-yet-valid"
	ruleNotCA       = "chain-not-ca"
	rulePathLength  = "chain-path-length"
	rulePurpose     = "chain-extended-key-usage"
	ruleConstraints = "chain-constraints"
	ruleLeafKey     = "leaf-key-type"
	ruleAddress     = "leaf-address"
	ruleKeyMismatch = "leaf-key-mismatch"
	ruleDirectIssue = "chain-no-intermediate"
	ruleRootKey     = "root-key-type"
	ruleRelaxed     = "chain-relaxed-profile"
)

// chainRules are what Gmail cannot do without, and what a chain needs of the domain.
func chainRules() []Rule {
	const wholeChain = "Gmail verifies what is uploaded from leaf to root, and refuses a chain with a gap."
	return []Rule{
		{ID: ruleEmpty, Severity: SeverityError,
			Title:  "there is at least one certificate",
			Why:    "A key pair at Gmail is a certificate chain.",
			Ask:    "Name the file that the authority sent with the user's certificate.",
			Source: gmailAPI},
		{ID: ruleNoLeaf, Severity: SeverityError, Where: "extensions.basicConstraints",
			Title:  "the first certificate is the user's, not an authority's",
			Why:    "Mail is encrypted to the user's key; an authority's certificate is nobody's.",
			Ask:    "Ask for the user's own certificate; the file has only those of authorities.",
			Source: "RFC 5280 section 4.2.1.9"},
		{ID: ruleSelfSigned, Severity: SeverityError, Where: "issuer",
			Title:  "the user's certificate is issued by an authority",
			Why:    "Nobody vouches for a certificate that signs itself, and the domain cannot trust it.",
			Ask:    "Have the key certified by an authority whose root the domain trusts.",
			Source: googleProfiles},
		{ID: ruleIssuer, Severity: SeverityError, Where: "issuer",
			Title:  "each certificate is followed by its issuer",
			Why:    wholeChain,
			Ask:    "Ask for the certificates of all authorities above the leaf, up to the root.",
			Source: "RFC 5280 section 6.1.3 (a)(4)"},
		{ID: ruleSignature, Severity: SeverityError, Where: "signature",
			Title:  "each certificate is signed by the next one",
			Why:    "A signature that does not verify was made with another key, or the certificate was changed.",
			Ask:    "Ask for the certificate of the authority that signed this one: another one of the same name is of no use.",
			Source: "RFC 5280 section 6.1.3 (a)(1)"},
		{ID: ruleAlgorithm, Severity: SeverityError, Where: "signatureAlgorithm",
			Title:  "each certificate but the root is signed in a way that can be verified and relied on",
			Why:    "Others can make signatures with MD5 and SHA-1 too, and nobody can verify one whose algorithm is unknown.",
			Ask:    "Ask for certificates that are signed with RSA or ECDSA and SHA-256 or better, all along the chain.",
			Source: googleProfiles},
		{ID: ruleNoRoot, Severity: SeverityError, Where: "issuer",
			Title:  "the last certificate is a self-signed root",
			Why:    wholeChain,
			Ask:    "Ask for the missing authorities' certificates, the root included.",
			Source: gmailAPI},
		{ID: ruleAfterRoot, Severity: SeverityError,
			Title:  "nothing follows the root",
			Why:    "What follows the root belongs to no chain, and Gmail does not say what it makes of it.",
			Ask:    "Upload the chain alone, leaf to root.",
			Source: gmailAPI},
		{ID: ruleExpired, Severity: SeverityError, Where: "validity",
			Title:  "no certificate has expired",
			Why:    "Gmail and the recipients' programs refuse a chain with an expired certificate.",
			Ask:    "Ask for a new certificate; where it is an authority's, for its renewed one.",
			Source: "RFC 5280 section 6.1.3 (a)(2)"},
		{ID: ruleNotYetValid, Severity: SeverityError, Where: "validity",
			Title:  "every certificate is valid already",
			Why:    "Gmail refuses a chain before its certificates are valid.",
			Ask:    "See whether this computer's clock is right; else wait, or ask for one that is valid now.",
			Source: "RFC 5280 section 6.1.3 (a)(2)"},
		{ID: ruleNotCA, Severity: SeverityError, Where: "extensions.basicConstraints",
			Title:  "every certificate above the leaf is allowed to sign certificates",
			Why:    "What a certificate signed that may not issue is worth nothing.",
			Ask:    "Ask which authority issued the certificate, and for that one's certificate.",
			Source: "RFC 5280 section 6.1.4 (k) and (n)"},
		{ID: rulePathLength, Severity: SeverityError, Where: "extensions.basicConstraints",
			Title:  "no authority's path length is exceeded",
			Why:    "An authority above forbids as many authorities as there are below it.",
			Ask:    "Ask the authority for another chain: this one cannot be made valid by new leaves.",
			Source: "RFC 5280 section 6.1.4 (l) and (m)"},
		{ID: rulePurpose, Severity: SeverityError, Where: "extensions.extKeyUsage",
			Title:  "no certificate's extended key usage leaves out mail",
			Why:    "A certificate whose purposes are named and do not have mail among them is not valid for S/MIME.",
			Ask:    "Ask for an S/MIME certificate: its extended key usage has emailProtection.",
			Source: "RFC 8550 section 4.4.4"},
		{ID: ruleConstraints, Severity: SeverityError,
			Title:  "what authorities ask of names and policies holds, and every critical extension is understood",
			Why:    "Whoever verifies the chain has to refuse it.",
			Ask:    "Ask the authority for a certificate that keeps to its constraints, and without critical extensions that mail programs do not know.",
			Source: "RFC 5280 section 6.1.3 (b) to (f) and 6.1.4"},
		{ID: ruleLeafKey, Severity: SeverityError, Where: "subjectPublicKeyInfo",
			Title:  "the leaf's key is " + keyList,
			Why:    "Gmail takes no other keys.",
			Ask:    "Generate a key of one of these kinds, and have that one certified.",
			Source: googleProfiles},
		{ID: ruleAddress, Severity: SeverityError, Where: "extensions.subjectAltName",
			Title:  "the leaf names the user's primary address",
			Why:    "Gmail takes a certificate only for the address that it names.",
			Ask:    "Ask for a certificate with the user's primary address as rfc822Name in the subject alternative name.",
			Source: googleProfiles},
		{ID: ruleKeyMismatch, Severity: SeverityError, Where: "subjectPublicKeyInfo",
			Title:  "the leaf is for the key on the card",
			Why:    "Without the key of the certificate the card can neither sign nor decrypt.",
			Ask:    "Ask for the certificate that was issued for this card's request.",
			Source: gmailAPI},
		{ID: ruleDirectIssue, Severity: SeverityError, Where: "issuer",
			Title:  "an intermediate stands between root and leaf",
			Why:    "Google's profile does not allow a root to issue users' certificates, and the Admin console wants an intermediate with each root.",
			Ask:    "Ask for a certificate from an intermediate authority.",
			Source: googleRoots},
		{ID: ruleRootKey, Severity: SeverityError, Where: "subjectPublicKeyInfo",
			Title:  "the root's key is " + keyList,
			Why:    "Google's profile lists no other keys for a root.",
			Ask:    "Ask for a chain to a root with one of these keys.",
			Source: googleProfiles},
		{ID: ruleRelaxed, Severity: SeverityWarning,
			Title:  "the chain keeps to Google's profile for publicly trusted roots",
			Why:    "Gmail refuses a chain that breaks this profile, unless its root was added in the Admin console with a relaxed validation profile.",
			Ask:    "For a root of your own: add it in the Admin console with a relaxed certificate validation profile. A public authority: ask it for a certificate that keeps to the rules named.",
			Source: googleRoots},
	}
}
