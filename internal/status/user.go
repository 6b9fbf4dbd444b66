package status

import (
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// User is what is known of one user.
type User struct {
	Email string
	// Entry is the ledger's; nil for none. Earlier are the key pairs that it had before.
	Entry   *ledger.Entry
	Earlier []ledger.Pair
	Cards   []ledger.CardCertificate
	// ByHand is the last thing that was done by hand for the user; nil for nothing.
	ByHand *ledger.Action
	// Gmail is what Gmail has of the user; nil where it was not asked, or did not answer.
	Gmail *registered.State
	// Refused is why the directory says that the user cannot be registered, in which case
	// Gmail is not asked; nil where it does not say so, or is not asked.
	Refused *gmail.Error
	// Begun is what began last for the user, by the evidence on this machine; nil for nothing.
	Begun *Begun
	// Inserted is the user's card that is in a reader; nil for none.
	Inserted *Card
	// Source says whether a source has the user, where there is one.
	Source Membership
}

// Membership says whether a source has a user.
type Membership int

// The memberships.
const (
	NoSource    Membership = iota // there is no source
	InSource                      // it has the user
	NotInSource                   // it has not
)

// Used lists the key pairs that the user's identity signs and encrypts with, as Gmail has
// them.
func (u User) Used() []gmail.KeyPair {
	var used []gmail.KeyPair
	if u.Gmail == nil || u.Gmail.Identity == nil {
		return nil
	}
	for _, pair := range u.Gmail.KeyPairs {
		if u.Gmail.Identity.Uses(pair.ID) {
			used = append(used, pair)
		}
	}
	return used
}

// End is when the first of the certificates ends that the user signs and decrypts with: of
// the identity's or, where Gmail did not answer, of the ledger's entry. It is zero where there
// is none.
func (u User) End() time.Time {
	var ends []time.Time
	for _, pair := range u.Used() {
		ends = append(ends, pair.NotAfter)
	}
	if u.Gmail == nil && u.done() {
		for _, pair := range u.Entry.Pairs {
			if pair.Use != certificate.UseHistory {
				ends = append(ends, pair.NotAfter)
			}
		}
	}
	if len(ends) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(ends, time.Time.Compare)
}

// done reports whether the ledger has the user as registered, also where a later run waits to
// look again.
func (u User) done() bool {
	return u.Entry != nil && (u.Entry.State == ledger.StateDone || u.Entry.State == ledger.StateWaiting && u.Entry.Earlier)
}

// Card returns where the ledger has a certificate: the last card that it was on.
func (u User) Card(leafSHA256 string) *ledger.CardCertificate {
	for i, card := range slices.Backward(u.Cards) {
		if card.LeafSHA256 == leafSHA256 {
			return &u.Cards[i]
		}
	}
	return nil
}

// Current lists the user's certificates on cards that the ledger calls in use.
func (u User) Current() []ledger.CardCertificate {
	var current []ledger.CardCertificate
	for _, card := range u.Cards {
		if card.State == ledger.CardInUse && card.Use != certificate.UseHistory {
			current = append(current, card)
		}
	}
	return current
}

// uses lists the certificates that are in use for the user.
func (u User) uses() (uses []use) {
	current := u.Current()
	entered := func(leafSHA256 string) bool {
		return slices.ContainsFunc(current, func(card ledger.CardCertificate) bool { return card.LeafSHA256 == leafSHA256 })
	}
	if u.Gmail == nil {
		for _, card := range current {
			uses = append(uses, use{card.LeafSHA256, card.Serial, true})
		}
		return uses
	}
	for _, pair := range u.Used() {
		serial := registered.SerialOf(pair)
		if card := u.Card(pair.LeafSHA256); serial == 0 && card != nil {
			serial = card.Serial
		}
		uses = append(uses, use{pair.LeafSHA256, serial, entered(pair.LeafSHA256)})
	}
	return uses
}

// Renews reports whether a renewal was begun for the user and is not finished, by the evidence
// on this machine or by the card in the reader; Replaces reports the same of a replacement.
func (u User) Renews() bool {
	return u.Begun.renews() && u.Begun.goesOn(u.uses()) || u.Inserted != nil && u.Inserted.State() == StateRenewing
}

// Replaces is like Renews.
func (u User) Replaces() bool {
	return u.Begun.replaces() && u.Begun.goesOn(u.uses()) || u.Inserted != nil && u.Inserted.State() == StateReplacing
}

// knows reports whether the ledger has a certificate as the user's, now or earlier.
func (u User) knows(leafSHA256 string) bool {
	is := func(pair ledger.Pair) bool { return pair.LeafSHA256 == leafSHA256 }
	return u.Card(leafSHA256) != nil || slices.ContainsFunc(u.Earlier, is) || u.Entry != nil && slices.ContainsFunc(u.Entry.Pairs, is)
}

// asks reports whether the ledger's entry asks for a certificate, beyond history.
func (u User) asks(leafSHA256 string) bool {
	return u.Entry != nil && slices.ContainsFunc(u.Entry.Pairs, func(pair ledger.Pair) bool {
		return pair.LeafSHA256 == leafSHA256 && pair.Use != certificate.UseHistory
	})
}

// last returns the certificate on a card whose state changed last; nil where the ledger knows
// none, or one is in use.
func (u User) last() *ledger.CardCertificate {
	if len(u.Cards) == 0 || len(u.Current()) > 0 {
		return nil
	}
	last := slices.MaxFunc(u.Cards, func(a, b ledger.CardCertificate) int { return a.Changed.Compare(b.Changed) })
	return &last
}

// Ended returns the certificate of the user's last card whose use has ended, with no other card
// in its place; nil where there is none.
func (u User) Ended() *ledger.CardCertificate {
	if last := u.last(); last != nil && isGone(last.State) {
		return last
	}
	return nil
}

// Commands, as the ledger has them.
const (
	verbLeave = "leave"
	verbLost  = "lost"
)

// left reports whether the user gave the last card up, and none is in use; where the ledger has none,
// whether the user left.
func (u User) left() bool {
	last := u.last()
	if last == nil {
		return u.ByHand != nil && u.ByHand.Verb == verbLeave
	}
	return last.State == ledger.CardReturned || last.State == ledger.CardWithdrawn || last.State == ledger.CardUndone
}

// waitsForCard reports whether the user's last card is gone and no other has taken its place.
func (u User) waitsForCard() bool {
	last := u.last()
	return last != nil && !u.left() && isGone(last.State)
}
