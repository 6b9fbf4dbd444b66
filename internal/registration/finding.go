package registration

import (
	"fmt"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

// Findings says what a person should know about the key pairs that were found
// besides those that serve, a sentence each.
func (o Outcome) Findings() []string {
	var all []string
	for _, duplicate := range o.Superfluous() {
		all = append(all, duplicate.Finding(o.email))
	}
	for _, k := range o.Keys {
		for _, pair := range k.InKeyService {
			all = append(all, fmt.Sprintf("key pair %s is for the same certificate as %s, but its private key is in a key service, not on the card", pair.ID, k.Pair.ID))
		}
	}
	return all
}

// Finding says that a user's key pair is superfluous, and what disables it.
func (d Duplicate) Finding(email string) string {
	return fmt.Sprintf("key pair %s is superfluous: %s is for the same certificate and serves; disable it with the Gmail API: %s",
		d.Superfluous.ID, d.Kept.ID, gmail.DisableCall(email, d.Superfluous.ID))
}
