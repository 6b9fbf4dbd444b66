package registration

import (
	"slices"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

// Action says what was done to the identity.
type Action string

// The actions.
const (
	Unchanged Action = "unchanged"
	Created   Action = "created"
	Patched   Action = "patched"
)

// Change is what was done to the identity, and for Patched what was there before.
type Change struct {
	Action Action
	Before *gmail.Identity
}

// Outcome is what a registration came to.
type Outcome struct {
	Keys []KeyOutcome // in the order of the keys
	// Identity is the user's; zero where all keys are for history.
	Identity gmail.Identity
	Change   Change

	email string
}

// KeyOutcome is what became of one key.
type KeyOutcome struct {
	Key     Key
	Pair    gmail.KeyPair // the one that serves
	Created bool          // by this registration
	// Superfluous are other enabled pairs of a card for the same certificate, which
	// serve for nothing.
	Superfluous []gmail.KeyPair
	// InKeyService are enabled pairs for the same certificate whose private key is
	// in a key service, not on the card.
	InKeyService []gmail.KeyPair
}

// Outcome returns what the registration came to so far.
func (r *Registration) Outcome() Outcome {
	outcome := Outcome{Change: r.change, email: r.email}
	if r.identity != nil {
		outcome.Identity = *r.identity
	}
	serves := func(pair gmail.KeyPair) bool {
		return slices.ContainsFunc(r.keys, func(k *key) bool { return k.pair.ID == pair.ID })
	}
	for _, k := range r.keys {
		result := KeyOutcome{Key: k.Key, Pair: k.pair, Created: k.created}
		for _, pair := range r.pairs {
			switch {
			case !pair.Has(k.LeafSHA256) || !pair.Enabled || serves(pair):
			case pair.Hardware():
				result.Superfluous = append(result.Superfluous, pair)
			default:
				result.InKeyService = append(result.InKeyService, pair)
			}
		}
		outcome.Keys = append(outcome.Keys, result)
	}
	return outcome
}

// Unchanged reports whether everything was there as asked, and nothing was done.
func (o Outcome) Unchanged() bool {
	return o.Change.Action == Unchanged && !slices.ContainsFunc(o.Keys, func(k KeyOutcome) bool { return k.Created })
}

// Superfluous are the superfluous key pairs of all keys.
func (o Outcome) Superfluous() []Duplicate {
	var all []Duplicate
	for _, k := range o.Keys {
		for _, pair := range k.Superfluous {
			all = append(all, Duplicate{Superfluous: pair, Kept: k.Pair})
		}
	}
	return all
}
