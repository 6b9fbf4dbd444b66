package registration

import (
	"slices"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

// Duplicate is an enabled key pair of a card for a certificate that another one is
// for, too.
type Duplicate struct {
	Superfluous, Kept gmail.KeyPair
}

// Duplicates finds the superfluous ones among a user's key pairs: of several for
// one certificate those stay that the identity uses (nil for none), else the first.
func Duplicates(pairs []gmail.KeyPair, identity *gmail.Identity) []Duplicate {
	var all []Duplicate
	var seen []string
	for _, pair := range pairs {
		if slices.Contains(seen, pair.LeafSHA256) {
			continue
		}
		seen = append(seen, pair.LeafSHA256)
		same := ofCard(pairs, pair.LeafSHA256)
		if len(same) < 2 {
			continue
		}
		used := func(pair gmail.KeyPair) bool { return identity != nil && identity.Uses(pair.ID) }
		kept := same[max(0, slices.IndexFunc(same, used))]
		for _, other := range same {
			if other.ID != kept.ID && !used(other) {
				all = append(all, Duplicate{Superfluous: other, Kept: kept})
			}
		}
	}
	return all
}
