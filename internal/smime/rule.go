package smime

// Severity says how much a finding weighs.
type Severity string

// The severities. An error is something Gmail's API cannot take; a warning
// breaks Google's published profile for publicly trusted roots, which an
// administrator's own root with a looser validation profile may be allowed; a
// note is good to know.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityNote    Severity = "note"
)

// Rule is one thing that [Check] looks at.
type Rule struct {
	ID       string   // stable: part of the JSON contract
	Severity Severity // of every finding of this rule
	Summary  string   // what the rule asks for
}

// The identifiers of the rules.
const (
	ruleEmpty         = "chain-empty"
	ruleNoLeaf        = "chain-no-leaf"
	ruleSelfSigned    = "leaf-self-signed"
	ruleIssuer        = "chain-issuer"
	ruleSignature     = "chain-signature"
	ruleNoRoot        = "chain-no-root"
	ruleAfterRoot     = "chain-after-root"
	ruleExpired       = "chain-expired"
	ruleNotYetValid   = "chain-not-yet-valid"
	ruleNotCA         = "chain-not-ca"
	rulePathLength    = "chain-path-length"
	rulePurpose       = "chain-extended-key-usage"
	ruleConstraints   = "chain-constraints"
	ruleLeafKey       = "leaf-key-type"
	ruleAddress       = "leaf-address"
	ruleKeyMismatch   = "leaf-key-mismatch"
	ruleDirectIssue   = "chain-no-intermediate"
	ruleRootKey       = "root-key-type"
	ruleCAVersion     = "intermediate-version"
	ruleCASerial      = "intermediate-serial"
	ruleCASignature   = "intermediate-signature-algorithm"
	ruleCAKey         = "intermediate-key-type"
	ruleCAKeyUsage    = "intermediate-key-usage"
	ruleCABasic       = "intermediate-basic-constraints"
	ruleCAPathLength  = "intermediate-path-length"
	ruleCACRL         = "intermediate-crl"
	ruleCACRLPublic   = "intermediate-crl-public"
	ruleCAEKU         = "intermediate-extended-key-usage"
	ruleValidity      = "leaf-validity"
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
	ruleExpiresSoon   = "leaf-expires-soon"
	ruleAddressCase   = "leaf-address-case"
)

// Rules lists all rules in the order in which their findings are reported.
//
// Errors are what a validation of the chain for mail finds, whoever added the root,
// and what Google documents without an exception: at least one intermediate, which
// an administrator's own root needs as well, and the list of keys, all along the
// chain. The rest of its profile is for the roots that Google trusts itself, and a
// warning. That a leaf's validity begins within 48 hours of its signing cannot be
// seen in the certificate and is no rule here.
func Rules() []Rule {
	return []Rule{
		{ruleEmpty, SeverityError, "there is at least one certificate"},
		{ruleNoLeaf, SeverityError, "the first certificate is the user's, not an authority's"},
		{ruleSelfSigned, SeverityError, "the user's certificate is issued by an authority"},
		{ruleIssuer, SeverityError, "each certificate is followed by its issuer"},
		{ruleSignature, SeverityError, "each certificate is signed by the next one"},
		{ruleNoRoot, SeverityError, "the last certificate is a self-signed root"},
		{ruleAfterRoot, SeverityError, "nothing follows the root"},
		{ruleExpired, SeverityError, "no certificate has expired"},
		{ruleNotYetValid, SeverityError, "every certificate is valid already"},
		{ruleNotCA, SeverityError, "every certificate above the leaf is allowed to sign certificates"},
		{rulePathLength, SeverityError, "no authority's path length is exceeded"},
		{rulePurpose, SeverityError, "no certificate's extended key usage leaves out mail"},
		{ruleConstraints, SeverityError, "what authorities ask of names and policies holds, and every critical extension is understood"},
		{ruleLeafKey, SeverityError, "the leaf's key is RSA 2048, 3072 or 4096, P-256 or P-384"},
		{ruleAddress, SeverityError, "the leaf names the user's primary address"},
		{ruleKeyMismatch, SeverityError, "the leaf is for the key on the card"},
		{ruleDirectIssue, SeverityError, "an intermediate stands between root and leaf"},
		{ruleRootKey, SeverityError, "the root's key is RSA 2048, 3072 or 4096, P-256 or P-384"},
		{ruleCAVersion, SeverityWarning, "an intermediate is an X.509 version 3 certificate"},
		{ruleCASerial, SeverityWarning, "an intermediate's serial number is positive and at most 20 octets long"},
		{ruleCASignature, SeverityWarning, "an intermediate is signed with RSA or ECDSA and SHA-256, SHA-384 or SHA-512"},
		{ruleCAKey, SeverityError, "an intermediate's key is RSA 2048, 3072 or 4096, P-256 or P-384"},
		{ruleCAKeyUsage, SeverityWarning, "an intermediate has a critical key usage"},
		{ruleCABasic, SeverityWarning, "an intermediate's basic constraints are critical"},
		{ruleCAPathLength, SeverityNote, "an intermediate has a path length, 0 on the issuing one"},
		{ruleCACRL, SeverityWarning, "an intermediate has a CRL distribution point with an http address"},
		{ruleCACRLPublic, SeverityWarning, "an intermediate's CRL can be fetched from the internet"},
		{ruleCAEKU, SeverityWarning, "the issuing intermediate's extended key usage has emailProtection"},
		{ruleValidity, SeverityWarning, "the leaf is valid for at most 27 months"},
		{ruleSerial, SeverityWarning, "the leaf's serial number has at least 64 random bits and at most 20 octets"},
		{ruleLeafSignature, SeverityWarning, "the leaf is signed with RSA or ECDSA and SHA-256, SHA-384 or SHA-512"},
		{ruleKeyUsage, SeverityWarning, "the leaf's key usage has digitalSignature or nonRepudiation"},
		{ruleKeyUsageCrit, SeverityWarning, "the leaf's key usage is critical"},
		{ruleEncryptOnly, SeverityWarning, "the leaf's key usage allows more than encryption"},
		{ruleCannotEncrypt, SeverityWarning, "a leaf that mail is encrypted to allows keyEncipherment (RSA) or keyAgreement (EC)"},
		{ruleEKU, SeverityWarning, "the leaf's extended key usage has emailProtection"},
		{ruleEKUForbidden, SeverityWarning, "the leaf is not also for servers, code, time stamps or any purpose"},
		{ruleSAN, SeverityWarning, "the leaf's subject alternative name has an rfc822Name"},
		{ruleSANForbidden, SeverityWarning, "the leaf's subject alternative name has no dNSName, iPAddress or URI"},
		{ruleSubjectEmail, SeverityWarning, "every address in the leaf's subject stands in the subject alternative name too"},
		{rulePolicies, SeverityWarning, "the leaf has certificate policies, anyPolicy not among them"},
		{ruleCRL, SeverityWarning, "the leaf has a CRL distribution point with an http address"},
		{ruleCRLPublic, SeverityWarning, "the leaf's CRL can be fetched from the internet"},
		{ruleAIA, SeverityWarning, "the leaf's authority information access uses http"},
		{ruleExpiresSoon, SeverityNote, "the leaf is valid for another 30 days"},
		{ruleAddressCase, SeverityNote, "the leaf spells the address as the account does"},
	}
}
