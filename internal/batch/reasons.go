package batch

import (
	"slices"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// Reason is why a user can fail: a stable name, which reports and scripts rely on.
type Reason struct {
	Name    string
	Class   ledger.Class
	Meaning string // what happened
	Helps   string // what to do about it
}

// Reasons lists all of them, by class. docs/reference/failure-reasons.md is made from it.
func Reasons() []Reason {
	const row, final, later, administrator = ledger.ClassRow, ledger.ClassFinal, ledger.ClassLater, ledger.ClassAdministrator
	return []Reason{
		{"row-malformed", row, "the row's quotes, JSON, number of cells or encoding", "correct the line that is named"},
		{"row-too-long", row, "the row has more than 1 MiB", "look for a quote that is missing at a cell's end"},
		{"row", row, "the row cannot be read", "correct what the message says"},
		{"address-missing", row, "the row names nobody", "give the user's primary address"},
		{"address", row, "what stands in the address's place is none", "write the primary address alone, such as user@example.com"},
		{"address-twice", row, "the source has the address twice, with different certificates", "remove the row that is wrong"},
		{"description-too-long", row, "the description has more than 1,000 characters", "shorten it"},
		{"use", row, "a certificate is for a use that is none", "say both, sign, encrypt or history"},
		{"certificate-missing", row, "there is no certificate for the user", "add it, or leave the user out"},
		{"certificate-unreadable", row, "the file is not there, or holds no certificate", "give PEM, DER or PKCS#7 without a private key"},
		{"certificate-unsupported", row, "an attribute of the directory holds something else", "name others with --ldap-attributes"},
		{"certificate-too-large", row, "the file is far larger than a chain", "give the user's chain alone"},
		{"certificate-outside", row, "the file lies outside the source's folder", "put it into the folder, or say --allow-outside"},
		{"certificate-twice", row, "there are several certificates for one use", "keep the one that is on the card"},
		{"certificate-not-chosen", row, "none is what --choose-issuer and --choose-policy ask for", "look at what they ask for, or at the user's certificates"},
		{"pair-incomplete", row, "there is a certificate for signing and none for encryption, or the reverse", "give one for both uses, or one for each"},
		{"leaf-ambiguous", row, "a file holds several certificates that may be the user's", "leave one in it, or say --choose-issuer or --choose-policy"},
		{"chain", row, "the chain cannot be built", "correct what the message says"},
		{"chain-empty", row, "there is no certificate at all", "give the user's certificate"},
		{"chain-no-leaf", row, "the authorities' certificates are there, the user's is not", "add it"},
		{"chain-issuer", row, "a certificate is not issued by the one that follows it", "give the authorities' certificates with --chain"},
		{"chain-signature", row, "a signature does not verify", "give the right authority's certificate with --chain"},
		{"chain-no-root", row, "the chain does not reach a root", "give the authorities' certificates, up to the root, with --chain"},
		{"chain-after-root", row, "something follows the root", "remove it"},
		{"chain-expired", row, "a certificate of the chain has expired", "get one that is valid now; an expired one can be history"},
		{"chain-not-yet-valid", row, "a certificate is not valid yet", "wait, or set this machine's clock"},
		{"chain-not-ca", row, "a certificate above the user's may not issue others", "give the right authority's certificate with --chain"},
		{"chain-path-length", row, "there are more authorities than one above them allows", "ask the authority"},
		{"chain-extended-key-usage", row, "a certificate is for other purposes than mail", "give the one that is for mail"},
		{"chain-constraints", row, "names or policies are not what an authority allows, or an extension is unknown", "ask the authority"},
		{"chain-no-intermediate", row, "the root issued the user's certificate itself", "ask for certificates of an authority below the root"},
		{"leaf-self-signed", row, "the user's certificate is signed by itself", "ask an authority for one"},
		{"leaf-key-type", row, "the key is none that Gmail takes", "ask for RSA 2048, 3072 or 4096, P-256 or P-384"},
		{"leaf-key-mismatch", row, "the certificate is for another key than the card's", "give the one that is on the card"},
		{"leaf-address", row, "the certificate does not name the address", "give the primary address, and a certificate that names it"},
		{"root-key-type", row, "the root's key is none that Gmail takes", "ask for certificates below another root"},
		{"intermediate-key-type", row, "an authority's key is none that Gmail takes", "ask for certificates of another authority"},
		{"invalid", row, "Gmail refuses the certificates or the identity as wrong", "its message says what; see that the domain trusts the root, with a validation profile that takes such certificates (Admin console > Apps > Google Workspace > Gmail)"},

		{"cse-off", administrator, "client-side encryption is off for the user", "turn it on for the organisational unit or group; it can take up to 24 hours"},
		{"denied", administrator, "a policy or the edition refuses", "see that the user's edition has client-side encryption with hardware keys"},
		{"scope", administrator, "domain-wide delegation or its scope is missing; it stops the run", "authorise the service account's client ID in the Admin console"},
		{"credentials", administrator, "the service account's key is refused; it stops the run", "give a key that is valid, and set the clock"},
		{"api-disabled", administrator, "the Gmail API is off in the service account's project; it stops the run", "enable it in the Google Cloud console"},

		{"no-user", final, "the domain has no such user, or not any more", "give the primary address of a user who is not suspended"},
		{"key-pair-disabled", final, "the key pair is there, and somebody disabled it", "enable it with the call that the hint names, if it was not meant"},
		{"wrong-key-pair", final, "the server created something else than was asked for", "check the endpoint, and look with cse-piv status"},
		{"precondition", final, "the user's state does not allow it", "see that Gmail is on for the user, and the key pair enabled and valid"},
		{"not-found", final, "what was there is gone", "look with cse-piv status, and run the same command again"},
		{"other", final, "an answer that has no better name", "its message says what"},
		{"internal", final, "a mistake in this program, which showed with that user", "please report the message"},

		{"rate-limited", later, "Gmail takes no more calls just now", "run the same command again, after the time that is named"},
		{"unavailable", later, "Gmail, or the way to it, fails", "check the network, and run the same command again"},
		{"protocol", later, "something else than the Gmail API answered, such as a proxy", "check the endpoint and the proxy, and run the same command again"},
		{"conflict", later, "somebody else changes the user just now", "run the same command again"},
		{"mismatch", later, "the identity is another than was set just before", "see who changes it, and run the same command again"},
	}
}

// IsReason reports whether a user can fail for a reason of that name.
func IsReason(name string) bool {
	return slices.ContainsFunc(Reasons(), func(r Reason) bool { return r.Name == name })
}
