package enroll

import (
	"context"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// Replacement says which cards a card takes the place of, and why. An enrollment writes it down; the
// use of the former cards is ended by who asked for it, afterwards: see EndReplacement.
type Replacement struct {
	Reason termination.Reason
	// Cards are the serial numbers of the former cards; none as long as nobody looked for them.
	Cards []uint32
	// KeyPairs says what becomes of their key pairs at Gmail.
	KeyPairs termination.KeyPairs
	Note     string // more about it, for the ledger
	// Agreed names the changes that a person agreed to, who is not asked for them again.
	Agreed []string
}

// Of reports whether the card with that serial number is one of the former cards; nil is of none.
func (r *Replacement) Of(serial uint32) bool {
	return r != nil && serial != 0 && slices.Contains(r.Cards, serial)
}

// begunReplacement is what a journal says of a replacement that has not come to its end; nil for none.
func begunReplacement(journal evidence.Journal) *Replacement {
	begun := journal.Replacing()
	if begun == nil {
		return nil
	}
	return &Replacement{
		Reason: termination.Reason(begun.Reason), Cards: begun.Cards,
		KeyPairs: termination.KeyPairs(begun.KeyPairs), Note: begun.Note, Agreed: begun.Agreed,
	}
}

// isIn reports whether a journal says what the replacement is, begun or ended.
func (r *Replacement) isIn(journal evidence.Journal) bool {
	there := journal.Replaces
	if r == nil {
		return true
	}
	return there != nil && there.Reason == string(r.Reason) && slices.Equal(there.Cards, r.Cards) && there.KeyPairs == string(r.KeyPairs) && there.Note == r.Note &&
		!slices.ContainsFunc(r.Agreed, func(change string) bool { return !slices.Contains(there.Agreed, change) })
}

// writeIn has a journal say what the replacement is.
func (r *Replacement) writeIn(journal *evidence.Journal) {
	if r.isIn(*journal) {
		return
	}
	journal.Replaces = &evidence.Replacement{Reason: string(r.Reason), Cards: r.Cards, KeyPairs: string(r.KeyPairs), Note: r.Note, Agreed: r.Agreed}
}

// EndReplacement writes down that the use of the cards has ended whose place a user's card took, so
// that nobody goes on with it.
func EndReplacement(ctx context.Context, root, email string, serial uint32, now time.Time) error {
	return changeJournal(ctx, root, email, serial, func(_ *evidence.Folder, journal *evidence.Journal) bool {
		if journal.Replacing() == nil {
			return false
		}
		journal.Replaces.Ended = now.UTC()
		return true
	})
}

// GiveUp writes down that nobody goes on with the newest enrollment of a user with a card, which was begun
// or of whose replacement the former card's use has not ended. What was enrolled before counts again. The
// card keeps what it has, and another enrollment of the user with it goes on with its key. Nothing is
// written for an enrollment that came to its end.
func GiveUp(ctx context.Context, root, email string, serial uint32, now time.Time) error {
	return changeJournal(ctx, root, email, serial, func(folder *evidence.Folder, journal *evidence.Journal) bool {
		if !journal.GivenUp.IsZero() || folder.Finished() && journal.Replacing() == nil {
			return false
		}
		journal.GivenUp, journal.MovesFrom = now.UTC(), nil // another time is asked again
		return true
	})
}

// changeJournal writes the journal of the newest enrollment of a user with a card where change changes it.
func changeJournal(ctx context.Context, root, email string, serial uint32, change func(*evidence.Folder, *evidence.Journal) bool) (err error) {
	waiting, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	unlock, err := evidence.Lock(waiting, root, email)
	if err != nil {
		return err
	}
	defer func() { _ = unlock() }()
	folder, err := evidence.Latest(root, email, serial)
	if err != nil || folder == nil {
		return err
	}
	journal, err := folder.Journal()
	if err != nil || !change(folder, &journal) {
		return err
	}
	return folder.WriteJournal(journal)
}
