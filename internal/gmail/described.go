package gmail

import "github.com/cse-piv/cse-piv/internal/safetext"

// CredentialsKind is one of the ways to be allowed to act for users.
type CredentialsKind string

// The kinds of credentials.
const (
	CredentialsKeyFile       CredentialsKind = "key-file"      // the key of a service account in a file
	CredentialsLogin         CredentialsKind = "login"         // the user's own login
	CredentialsSigner        CredentialsKind = "signer"        // the key of a service account on a card
	CredentialsImpersonation CredentialsKind = "impersonation" // a service account through this machine's own credentials, without a key
)

// Credentials say how a domain acts for its users.
type Credentials struct {
	Kind CredentialsKind `json:"kind"`
	// Account is the address of the service account that acts for the users, or of the
	// user who is logged in.
	Account string `json:"account"`
	// Source is where they come from: the key file, the card, or the file of this
	// machine's credentials; empty where those are found elsewhere.
	Source string `json:"source,omitempty"`
}

// String says in a line which credentials they are; where they come from says Source.
func (c Credentials) String() string {
	text := "service account " + c.Account
	switch c.Kind {
	case CredentialsLogin:
		if c.Account == "" {
			return "an OAuth client for desktop apps, at which nobody is logged in"
		}
		text = "the login of " + c.Account
	case CredentialsImpersonation:
		text += ", impersonated with the credentials of this machine"
	case CredentialsSigner:
		text += ", with its key on a card"
	}
	return safetext.Message(text)
}
