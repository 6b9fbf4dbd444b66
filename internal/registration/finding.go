package registration

import "fmt"

// Findings says what a person should know about the key pairs that were found
// besides those that serve, a sentence each.
func (o Outcome) Findings() []string {
	var all []string
	for _, duplicate := range o.Superfluous() {
		all = append(all, duplicate.Finding())
	}
	for _, k := range o.Keys {
		for _, pair := range k.InKeyService {
			all = append(all, fmt.Sprintf("key pair %s is for the same certificate as %s, but its private key is in a key service, not on the card", pair.ID, k.Pair.ID))
		}
	}
	return all
}

// Finding says that a key pair is superfluous.
func (d Duplicate) Finding() string {
	return fmt.Sprintf("key pair %s is superfluous: %s is for the same certificate and serves", d.Superfluous.ID, d.Kept.ID)
}
