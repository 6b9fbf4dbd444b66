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
	// GivenUp tells that nobody goes on with it.
	GivenUp bool
	// Renewal is what it renews; nil for what is no renewal.
	Renewal *evidence.Renewal
	// MovesFrom names the cards from which Gmail moves, as a person agreed; none where it moves
	// from no card.
	MovesFrom []string
	// Replaces tells whether it is a replacement that has not come to its end, whose reason is
	// known, and Former are the serial numbers of the cards whose place it takes. Registered tells
	// whether nothing is left of it but the end of their use.
	Replaces   bool
	Former     []uint32
	Registered bool
}

// ReadBegun reads what was begun in a folder of the evidence; nil for a nil folder.
func ReadBegun(folder *evidence.Folder, email string) (*Begun, error) {
	if folder == nil {
		return nil, nil
	}
	begun := &Begun{Email: strings.ToLower(email), Serial: folder.Serial(), Since: folder.Started(), Finished: folder.Finished()}
	journal, err := folder.Journal()
	begun.Renewal, begun.MovesFrom, begun.GivenUp = journal.Renewal, journal.MovesFrom, !journal.GivenUp.IsZero() || !journal.Reset.IsZero() && !begun.Finished
	if replaces := journal.Replacing(); replaces != nil {
		begun.Replaces, begun.Former, begun.Registered, begun.Finished = true, replaces.Cards, begun.Finished, false
	}
	return begun, err
}

// again is the command that goes on with what was begun, where it is the one that is named, or
// else that one.
func (b *Begun) again(command Command) Command {
	switch {
	case command == CommandRenew && b.renews() && b.Renewal.Kind == "same-key":
		return CommandRenewSame
	case command == CommandReplace && b.replaces() && b.Replaces:
		return CommandReplaceBegun
	case command == CommandReplace && b.replaces():
		return CommandEnroll // with which it was begun
	}
	return command
}

func (b *Begun) unfinished() bool { return b != nil && !b.Finished && !b.GivenUp }

func (b *Begun) renews() bool { return b.unfinished() && b.Renewal != nil }

func (b *Begun) replaces() bool {
	return b.unfinished() && b.Renewal == nil && (b.Replaces || len(b.MovesFrom) > 0)
}

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
		return b.old(u.leafSHA256) || b.from(u.serial) || u.serial == b.Serial && (!u.entered || b.Registered)
	})
}

// from reports whether Gmail moves from that card.
func (b *Begun) from(serial uint32) bool {
	return serial != 0 && serial != b.Serial && (slices.Contains(b.Former, serial) || slices.Contains(b.MovesFrom, fmt.Sprintf("card %d", serial)))
}
