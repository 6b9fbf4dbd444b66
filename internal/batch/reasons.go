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
}

// Reasons lists all of them, by class. docs/reference/failure-reasons.md is made from it.
func Reasons() []Reason {
	const row, final, later, administrator = ledger.ClassRow, ledger.ClassFinal, ledger.ClassLater, ledger.ClassAdministrator
	return []Reason{
		{"row-malformed", row, "the row's quotes, JSON, number of cells or encoding"},
		{"row-too-long", row, "the row has more than 1 MiB"},
		{"row", row, "the row cannot be read"},
		{"address-missing", row, "the row names nobody"},
		{"address", row, "what stands in the address's place is none"},
		{"address-twice", row, "the source has the address twice, with different certificates"},
		{"description-too-long", row, "the description has more than 1,000 characters"},
		{"use", row, "a certificate is for a use that is none"},
		{"certificate-missing", row, "there is no certificate for the user"},
		{"certificate-unreadable", row, "the file is not there, or holds no certificate"},
		{"certificate-password", row, "the file is a PKCS#12 that needs a password, or another one"},
		{"certificate-unsupported", row, "an attribute of the directory holds something else"},
		{"certificate-too-large", row, "the file is far larger than a chain"},
		{"certificate-outside", row, "the file lies outside the source's folder"},
		{"certificate-twice", row, "there are several certificates for one use"},
		{"certificate-not-chosen", row, "none is by the issuer, or of the policy, that was asked for"},
		{"pair-incomplete", row, "there is a certificate for signing and none for encryption, or the reverse"},
		{"limited-use", row, "the certificate does not allow what its key pair is for: signing, or encryption"},
		{"leaf-ambiguous", row, "a file holds several certificates that may be the user's"},
		{"chain", row, "the chain cannot be built"},
		{"chain-empty", row, "there is no certificate at all"},
		{"chain-no-leaf", row, "the authorities' certificates are there, the user's is not"},
		{"chain-issuer", row, "a certificate is not issued by the one that follows it"},
		{"chain-signature", row, "a signature does not verify"},
		{"chain-algorithm", row, "a signature's algorithm is too weak or not supported"},
		{"chain-no-root", row, "the chain does not reach a root"},
		{"chain-after-root", row, "something follows the root"},
		{"chain-expired", row, "a certificate of the chain has expired"},
		{"chain-not-yet-valid", row, "a certificate is not valid yet"},
		{"chain-not-ca", row, "a certificate above the user's may not issue others"},
		{"chain-revoked", row, "a certificate was revoked by its issuer"},
		{"chain-revocation-required", row, "it is not known whether a certificate was revoked, and that was asked for"},
		{"chain-path-length", row, "there are more authorities than one above them allows"},
		{"chain-extended-key-usage", row, "a certificate is for other purposes than mail"},
		{"chain-constraints", row, "names or policies are not what an authority allows, or an extension is unknown"},
		{"chain-no-intermediate", row, "the root issued the user's certificate itself"},
		{"leaf-self-signed", row, "the user's certificate is signed by itself"},
		{"leaf-key-type", row, "the key is none that Gmail takes"},
		{"leaf-key-mismatch", row, "the certificate is for another key than the card's"},
		{"leaf-address", row, "the certificate does not name the address"},
		{"root-key-type", row, "the root's key is none that Gmail takes"},
		{"intermediate-key-type", row, "an authority's key is none that Gmail takes"},
		{"alias", row, "the address is an alias of a user, as the directory says"},
		{"invalid", row, "Gmail refuses the certificates or the identity as wrong"},

		{"cse-off", administrator, "client-side encryption is off for the user"},
		{"suspended", administrator, "the user's account is suspended, as the directory says"},
		{"archived", administrator, "the user's account is archived, as the directory says"},
		{"no-mailbox", administrator, "the user has no mailbox at Gmail, as the directory says"},
		{"denied", administrator, "a policy or the edition refuses"},
		{"scope", administrator, "domain-wide delegation or its scope is missing; it stops the run"},
		{"credentials", administrator, "the service account's key is refused; it stops the run"},
		{"api-disabled", administrator, "the Gmail API is off in the service account's project; it stops the run"},

		{"no-user", final, "the domain has no such user, or not any more"},
		{"key-pair-disabled", final, "the key pair is there, and somebody disabled it"},
		{"wrong-key-pair", final, "the server created something else than was asked for"},
		{"precondition", final, "the user's state does not allow it"},
		{"not-found", final, "what was there is gone"},
		{"other", final, "an answer that has no better name"},
		{"internal", final, "a mistake in this program, which showed with that user"},

		{"rate-limited", later, "Gmail takes no more calls just now"},
		{"unavailable", later, "Gmail, or the way to it, fails"},
		{"protocol", later, "something else than the Gmail API answered, such as a proxy"},
		{"conflict", later, "somebody else changes the user just now"},
		{"mismatch", later, "the identity is another than was set just before"},
	}
}

// IsReason reports whether a user can fail for a reason of that name.
func IsReason(name string) bool {
	return slices.ContainsFunc(Reasons(), func(r Reason) bool { return r.Name == name })
}
