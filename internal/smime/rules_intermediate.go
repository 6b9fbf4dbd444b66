package smime

// The identifiers of the rules for intermediates.
const (
	ruleCAVersion    = "intermediate-version"
	ruleCASerial     = "intermediate-serial"
	ruleCASignature  = "intermediate-signature-algorithm"
	ruleCAKey        = "intermediate-key-type"
	ruleCAKeyUsage   = "intermediate-key-usage"
	ruleCABasic      = "intermediate-basic-constraints"
	ruleCAPathLength = "intermediate-path-length"
	ruleCACRL        = "intermediate-crl"
	ruleCACRLPublic  = "intermediate-crl-public"
	ruleCAEKU        = "intermediate-extended-key-usage"
	ruleCANetscape   = "intermediate-netscape-type"
)

// intermediateRules are Google's profile for intermediates.
func intermediateRules() []Rule {
	const (
		profile = "Google's profile for publicly trusted roots asks for it."
		another = "Ask the authority for a chain over an intermediate that keeps to this rule."
	)
	return []Rule{
		{ID: ruleCAVersion, Severity: SeverityWarning, Profile: ProfilePublic, Where: "version",
			Title: "an intermediate is an X.509 version 3 certificate",
			Why:   "Older versions have no extensions, and so do not say that they are an authority's.",
			Ask:   another, Source: googleProfiles},
		{ID: ruleCASerial, Severity: SeverityWarning, Profile: ProfilePublic, Where: "serialNumber",
			Title: "an intermediate's serial number is positive and at most 20 octets long",
			Why:   "Programs refuse others, and a revocation list cannot name them.",
			Ask:   another, Source: googleProfiles + "; RFC 5280 section 4.1.2.2"},
		{ID: ruleCASignature, Severity: SeverityWarning, Profile: ProfilePublic, Where: "signatureAlgorithm",
			Title: "an intermediate is signed with RSA or ECDSA and SHA-256, SHA-384 or SHA-512",
			Why:   "Signatures with SHA-1 and MD5 can be forged; programs refuse them, and many do not know the others.",
			Ask:   another, Source: googleProfiles},
		{ID: ruleCAKey, Severity: SeverityError, Where: "subjectPublicKeyInfo",
			Title: "an intermediate's key is " + keyList,
			Why:   "Google's profile lists no other keys for an authority.",
			Ask:   "Ask for a chain whose authorities have one of these keys.", Source: googleProfiles},
		{ID: ruleCAKeyUsage, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.keyUsage",
			Title: "an intermediate has a critical key usage",
			Why:   profile, Ask: another, Source: googleProfiles + "; RFC 5280 section 4.2.1.3"},
		{ID: ruleCABasic, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.basicConstraints",
			Title: "an intermediate's basic constraints are critical",
			Why:   profile, Ask: another, Source: googleProfiles + "; RFC 5280 section 4.2.1.9"},
		{ID: ruleCAPathLength, Severity: SeverityNote, Profile: ProfilePublic, Where: "extensions.basicConstraints",
			Title: "an intermediate has a path length, 0 on the issuing one",
			Why:   "Google's profile says that it should; without it an authority can make further authorities.",
			Ask:   another, Source: googleProfiles},
		{ID: ruleCACRL, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.cRLDistributionPoints",
			Title: "an intermediate has a CRL distribution point with an http address",
			Why:   "Without it nobody can find out whether the authority was revoked.",
			Ask:   another, Source: googleProfiles},
		{ID: ruleCACRLPublic, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.cRLDistributionPoints",
			Title: "an intermediate's CRL can be fetched from the internet",
			Why:   "Google and the recipients fetch the list from the internet.",
			Ask:   "Ask the authority to publish its revocation list at a public http address, and to name that one.", Source: googleProfiles},
		{ID: ruleCAEKU, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.extKeyUsage",
			Title: "the issuing intermediate's extended key usage has emailProtection",
			Why:   profile, Ask: another, Source: googleProfiles},
		{ID: ruleCANetscape, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.2.16.840.1.113730.1.1",
			Title: "an intermediate's Netscape certificate type, if it has one, says the same as its other extensions",
			Why:   "Google's profile allows the old extension only where it contradicts neither key usage, extended key usage nor basic constraints.",
			Ask:   another, Source: googleProfiles},
	}
}
