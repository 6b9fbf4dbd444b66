package ledger

import (
	"context"
	"iter"
	"time"
)

// Everybody yields the entries of all users, whichever run or desk they are from, in the
// order of their addresses, without the chains of their pairs. Rows without an address are
// passed over.
func (l *Ledger) Everybody(ctx context.Context) iter.Seq2[Entry, error] {
	return l.inPages(func(last *stored) ([]*stored, error) {
		after := "!" // what has no address is filed under a blank and its place
		if last != nil {
			after = last.key
		}
		return l.fetch(ctx, l.read, `WHERE email >= ? AND email <> ? ORDER BY email LIMIT ?`, false, after, after, pageRows)
	})
}

// Expiring is a certificate of a user that ends. The JSON names are a contract.
type Expiring struct {
	Email string `json:"email"`
	Pair
	// Serial and Slot say on which card it is, as far as the ledger knows.
	Serial uint32 `json:"serial,omitempty"`
	Slot   string `json:"slot,omitempty"`
}

// Ends yields the certificates of registered users that end before a time, the first to end
// first, without those for history and without chains.
func (l *Ledger) Ends(ctx context.Context, before time.Time) iter.Seq2[Expiring, error] {
	return func(yield func(Expiring, error) bool) {
		notAfter, email, place := int64(0), "", int64(-1)
		for {
			page := 0
			var rows []Expiring
			err := l.each(ctx, func(row scanner) error {
				var e Expiring
				var serial int64
				if err := row.Scan(&email, &e.Email, &place, &e.Use, &e.LeafSHA256, &notAfter, &e.Description, &e.KeyPairID, &e.Created, &serial, &e.Slot); err != nil {
					return err
				}
				e.NotAfter, e.Serial = fromMilliseconds(notAfter), uint32(serial)
				rows = append(rows, e)
				page++
				return nil
			}, `SELECT p.email, e.address, p.place, p.use, p.leaf, p.not_after, p.description, p.key_pair_id, p.created, coalesce(c.serial, 0), coalesce(c.slot, '')
				FROM pair p JOIN entry e ON e.email = p.email
				LEFT JOIN card_certificate c ON c.email = p.email AND c.leaf = p.leaf AND c.state = 'in-use'
				WHERE e.state = 'done' AND p.use <> 'history' AND p.not_after > 0 AND p.not_after < ? AND (p.not_after, p.email, p.place) > (?, ?, ?)
				ORDER BY p.not_after, p.email, p.place LIMIT ?`, milliseconds(before), notAfter, email, place, pageRows)
			if err != nil {
				yield(Expiring{}, l.failed("read which certificates end", err))
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			if page < pageRows {
				return
			}
		}
	}
}
