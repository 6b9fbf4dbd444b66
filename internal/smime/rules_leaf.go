package smime

// The identifiers of the rules for the user's certificate.
const (
	ruleValidity      = "leaf-validity"
	ruleValidityDays  = "leaf-validity-27-months"
	ruleSerial        = "leaf-serial"
	ruleLeafSignature = "leaf-signature-algorithm"
	ruleKeyUsage      = "leaf-key-usage"
	ruleKeyUsageCrit  = "leaf-key-usage-critical"
	ruleEncryptOnly   = "leaf-encryption-only"
	ruleCannotEncrypt = "leaf-cannot-encrypt"
	ruleEKU           = "leaf-extended-key-usage"
	ruleEKUForbidden  = "leaf-extended-key-usage-forbidden"
	ruleSAN           = "leaf-san"
	ruleSANForbidden  = "leaf-san-forbidden"
	ruleSubjectEmail  = "leaf-subject-email"
	rulePolicies      = "leaf-policies"
	ruleCRL           = "leaf-crl"
	ruleCRLPublic     = "leaf-crl-public"
	ruleAIA           = "leaf-aia"
	ruleAIAPublic     = "leaf-aia-public"
	ruleNetscape      = "leaf-netscape-type"
	ruleWeakKey       = "leaf-key-weak"
	ruleExpiresSoon   = "leaf-expires-soon"
	ruleAddressCase   = "leaf-address-case"
)

// leafRules are Google's profile for users' certificates, and what a key pair needs
// for its use.
func leafRules() []Rule {
	return []Rule{
		{ID: ruleValidity, Severity: SeverityWarning, Profile: ProfilePublic, Where: "validity",
			Title: "the leaf is valid for at most 27 months, or 825 days",
			Why:   "Google's profile allows 27 months, the CA/Browser Forum's requirements, which the authorities that Google trusts keep to, 825 days.",
			Ask:   "Ask for a validity of 820 days or less.", Source: googleProfiles + "; CA/Browser Forum, S/MIME Baseline Requirements section 6.3.2"},
		{ID: ruleValidityDays, Severity: SeverityNote, Profile: ProfilePublic, Where: "validity",
			Title: "a leaf of up to 825 days is within 27 months, too",
			Why:   "The CA/Browser Forum's requirements allow 825 days, which are a few days longer than the 27 months of Google's page.",
			Ask:   "Nothing, while Gmail takes it; else ask for a validity of 820 days or less.", Source: googleProfiles},
		{ID: ruleSerial, Severity: SeverityWarning, Profile: ProfilePublic, Where: "serialNumber",
			Title: "the leaf's serial number has at least 64 random bits and at most 20 octets",
			Why:   "A serial number that can be foretold helps to forge certificates.",
			Ask:   "Ask the authority for random serial numbers of 64 to 159 bits.", Source: googleProfiles},
		{ID: ruleLeafSignature, Severity: SeverityWarning, Profile: ProfilePublic, Where: "signatureAlgorithm",
			Title: "the leaf is signed with RSA or ECDSA and SHA-256, SHA-384 or SHA-512",
			Why:   "Signatures with SHA-1 and MD5 can be forged; programs refuse them, and many do not know the others.",
			Ask:   "Ask for a certificate that is signed with SHA-256, SHA-384 or SHA-512.", Source: googleProfiles},
		{ID: ruleKeyUsage, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.keyUsage",
			Title: "the leaf's key usage has digitalSignature or nonRepudiation",
			Why:   "Without one of them the user cannot sign.",
			Ask:   "Ask for key usage digitalSignature; a card that has two certificates is registered as a split pair.", Source: googleProfiles + "; RFC 8550 section 4.4.2"},
		{ID: ruleKeyUsageCrit, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.keyUsage",
			Title: "the leaf's key usage is critical",
			Why:   "Google's profile for publicly trusted roots asks for it.",
			Ask:   "Ask for a critical key usage.", Source: googleProfiles + "; RFC 5280 section 4.2.1.3"},
		{ID: ruleEncryptOnly, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.keyUsage",
			Title: "the leaf's key usage allows more than encryption",
			Why:   "Google's profile asks for digitalSignature or nonRepudiation in every leaf; read strictly, one for encryption only fails it.",
			Ask:   "Nothing, while Gmail takes it; else ask for digitalSignature beside keyEncipherment or keyAgreement.", Source: googleProfiles},
		{ID: ruleCannotEncrypt, Severity: SeverityWarning, Where: "extensions.keyUsage",
			Title: "a leaf that mail is encrypted to allows keyEncipherment (RSA) or keyAgreement (EC)",
			Why:   "Programs do not encrypt to a key whose certificate does not allow it.",
			Ask:   "Ask for keyEncipherment (RSA) or keyAgreement (EC) in the key usage, or for a second certificate for encryption.", Source: "RFC 8550 section 4.4.2; RFC 5280 section 4.2.1.3"},
		{ID: ruleEKU, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.extKeyUsage",
			Title: "the leaf's extended key usage has emailProtection",
			Why:   "Google's profile for publicly trusted roots asks for it.",
			Ask:   "Ask for extended key usage emailProtection.", Source: googleProfiles},
		{ID: ruleEKUForbidden, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.extKeyUsage",
			Title: "the leaf is not also for servers, code, time stamps or any purpose",
			Why:   "Google's profile does not let a mail certificate serve for those.",
			Ask:   "Ask for a certificate without serverAuth, codeSigning, timeStamping and anyExtendedKeyUsage.", Source: googleProfiles},
		{ID: ruleSAN, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.subjectAltName",
			Title: "the leaf's subject alternative name has an rfc822Name",
			Why:   "Programs look for the address there; the subject's emailAddress is out of use.",
			Ask:   "Ask for the address as rfc822Name in the subject alternative name.", Source: googleProfiles + "; RFC 8550 section 4.4.3"},
		{ID: ruleSANForbidden, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.subjectAltName",
			Title: "the leaf's subject alternative name has no dNSName, iPAddress or URI",
			Why:   "Google's profile does not allow names of servers beside addresses.",
			Ask:   "Ask for a certificate without these names.", Source: googleProfiles},
		{ID: ruleSubjectEmail, Severity: SeverityWarning, Profile: ProfilePublic, Where: "subject",
			Title: "every address in the leaf's subject stands in the subject alternative name too",
			Why:   "An address that only the subject has was perhaps not verified.",
			Ask:   "Ask for the address in the subject alternative name, or for a subject without it.", Source: googleProfiles},
		{ID: rulePolicies, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.certificatePolicies",
			Title: "the leaf has certificate policies, anyPolicy not among them",
			Why:   "The policy says how the authority verified the user.",
			Ask:   "Ask for the policy under which the certificate is issued.", Source: googleProfiles},
		{ID: ruleCRL, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.cRLDistributionPoints",
			Title: "the leaf has a CRL distribution point with an http address",
			Why:   "Without it nobody can find out whether the certificate was revoked.",
			Ask:   "Ask for a CRL distribution point with an http address.", Source: googleProfiles},
		{ID: ruleCRLPublic, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.cRLDistributionPoints",
			Title: "the leaf's CRL can be fetched from the internet",
			Why:   "Google and the recipients fetch the list from the internet.",
			Ask:   "Ask the authority to publish its revocation list at a public http address, and to name that one.", Source: googleProfiles},
		{ID: ruleAIA, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.authorityInfoAccess",
			Title: "the leaf's authority information access has an http address for the issuer's certificate, and for OCSP where that is named",
			Why:   "Google and the recipients find the issuer's certificate and the revocation state there. Other addresses beside it do no harm.",
			Ask:   "Ask for authority information access with an http address for caIssuers, and one for ocsp if there is a responder.", Source: googleProfiles},
		{ID: ruleAIAPublic, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.authorityInfoAccess",
			Title: "the leaf's authority information access can be reached from the internet",
			Why:   "Google and the recipients ask there from the internet.",
			Ask:   "Ask the authority to publish its certificate, and its OCSP responder, at a public http address.", Source: googleProfiles},
		{ID: ruleNetscape, Severity: SeverityWarning, Profile: ProfilePublic, Where: "extensions.2.16.840.1.113730.1.1",
			Title: "the leaf's Netscape certificate type, if it has one, says the same as its other extensions",
			Why:   "Google's profile allows the old extension only where it contradicts neither key usage, extended key usage nor basic constraints.",
			Ask:   "Ask for a certificate without the Netscape certificate type.", Source: googleProfiles},
		{ID: ruleWeakKey, Severity: SeverityWarning, Where: "subjectPublicKeyInfo",
			Title: "the leaf's key is none that is known to be weak",
			Why:   "The private key can be computed from such a certificate (CVE-2017-15361, ROCA), or its RSA exponent is not one that is secure.",
			Ask:   "Generate another key, on a card without the fault, and have that one certified.", Source: "FIPS 186-5 section 5.1; CVE-2017-15361"},
		{ID: ruleExpiresSoon, Severity: SeverityNote, Where: "validity",
			Title: "the leaf is valid for another 30 days",
			Why:   "When it ends, the user can no longer sign, and nobody can encrypt to them.",
			Ask:   "Have it renewed now.", Source: "RFC 5280 section 4.1.2.5"},
		{ID: ruleAddressCase, Severity: SeverityNote, Where: "extensions.subjectAltName",
			Title: "the leaf spells the address as the account does",
			Why:   "Gmail does not distinguish upper and lower case, but other programs may.",
			Ask:   "Nothing; with the next certificate ask for the account's spelling.", Source: "RFC 5321 section 2.4"},
	}
}
