package ledger

import (
	"context"
	"database/sql"
)

// Enter records what a desk registered for a user: entry says who, where and by
// whom, with pairs that have Gmail's names. A user who waits in
// a run stays that run's, with the place there; what became of one before in a run
// is kept as that run's. Key pairs that the user's entry had before and has no more are kept as
// earlier ones; a batch that just then asks for others finds its task changed.
// The same again changes nothing, so that the time at which it was done first
// stays. Cards says on which card the certificates are; what the user had in use before, or
// those slots had, is superseded.
func (l *Ledger) Enter(ctx context.Context, entry Entry, cards []CardCertificate) error {
	entry = storable(entry)
	entry.State, entry.Step, entry.Updated = StateDone, StepEnrolled, l.Now()
	return l.change(ctx, "enter a registration", func(tx *sql.Tx) error {
		if err := l.enterCards(ctx, tx, cards); err != nil {
			return err
		}
		lock := ""
		if l.Shared() {
			lock = " FOR UPDATE"
		}
		found, err := l.fetch(ctx, tx, "WHERE email = ?"+lock, false, Key(entry.Email))
		if err != nil {
			return err
		}
		m := &upsert{stored: stored{Entry: entry, revision: 1}, newPairs: true}
		if len(found) > 0 {
			have := found[0]
			if have.State == StateDone && sameRegistration(have.Pairs, entry.Pairs) {
				return nil
			}
			m.revision, m.replaced = have.revision+1, notIn(have.Pairs, entry.Pairs)
			switch {
			case have.Run != 0 && have.State == StateWaiting:
				m.Run, m.Where, m.Line = have.Run, have.Where, have.Line
			case have.Run != 0:
				if err := l.archive(ctx, tx, found); err != nil {
					return err
				}
			}
		}
		return l.writeChunk(ctx, tx, 0, map[string]*upsert{Key(entry.Email): m}, entry.Updated)
	})
}

// sameRegistration compares two lists of pairs by what Gmail has of them, too.
func sameRegistration(a, b []Pair) bool {
	names := map[string]bool{}
	for _, pair := range a {
		names[pair.KeyPairID] = true
	}
	for _, pair := range b {
		if !names[pair.KeyPairID] {
			return false
		}
	}
	return SamePairs(a, b)
}
