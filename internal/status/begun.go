package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/evidence"
)

// Begun is the enrollment, renewal or replacement that was begun last with a card, or of a
// user, by the evidence on this machine.
type Begun struct {
	Email    string // in lower case
	Serial   uint32 // of the card
	Since    time.Time
	Finished bool
	// Renewal is what it renews; nil for what is no renewal.
	Renewal *evidence.Renewal
	// MovesFrom names the cards from which Gmail moves, as a person agreed; none where it moves
	// from no card.
	MovesFrom []string
}

// ReadBegun reads what was begun in a folder of the evidence; nil for a nil folder.
func ReadBegun(folder *evidence.Folder, email string) (*Begun, error) {
	if folder == nil {
		return nil, nil
	}
	begun := &Begun{Email: strings.ToLower(email), Serial: folder.Serial(), Since: folder.Started(), Finished: folder.Finished()}
	journal, err := folder.Journal()
	begun.Renewal, begun.MovesFrom = journal.Renewal, journal.MovesFrom
	return begun, err
}

// Again is the command that goes on with a renewal.
func (b *Begun) Again() Command {
	if b.renews() && b.Renewal.Kind == "same-key" {
		return CommandRenewSame
	}
	return CommandRenew
}

func (b *Begun) unfinished() bool { return b != nil && !b.Finished }

func (b *Begun) renews() bool { return b.unfinished() && b.Renewal != nil }

func (b *Begun) replaces() bool { return b.unfinished() && b.Renewal == nil && len(b.MovesFrom) > 0 }

// old reports whether a certificate is one that is renewed.
func (b *Begun) old(leafSHA256 string) bool {
	if b.Renewal == nil {
		return false
	}
	for _, key := range b.Renewal.Keys {
		if key.Certificate == leafSHA256 {
			return true
		}
	}
	return false
}

// use is a certificate that Gmail signs or encrypts with for the user or, where Gmail did not
// answer, that the ledger has in use.
type use struct {
	leafSHA256 string
	serial     uint32 // of the card that it is on; 0 where that is not known
	entered    bool   // the ledger has it in use
}

// goesOn reports whether what was begun is still to be finished, by the certificates in use:
// those that it takes the place of or, where Gmail moved already, its own, which the ledger does
// not have yet. Another machine may have finished it, or the card's use have ended since.
func (b *Begun) goesOn(uses []use) bool {
	return slices.ContainsFunc(uses, func(u use) bool {
		return b.old(u.leafSHA256) || b.from(u.serial) || u.serial == b.Serial && !u.entered
	})
}

// from reports whether Gmail moves from that card.
func (b *Begun) from(serial uint32) bool {
	return serial != b.Serial && slices.Contains(b.MovesFrom, fmt.Sprintf("card %d", serial))
}
