package ledger

import (
	"context"
	"database/sql"
)

// NoteCHUID enters with which CHUID a card was seen, and returns what SameCHUID does.
func (l *Ledger) NoteCHUID(ctx context.Context, serial uint32, chuid string) (others []uint32, err error) {
	err = l.change(ctx, "note a card's CHUID", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, l.rebind(`INSERT INTO card_chuid (serial, chuid, seen) VALUES (?, ?, ?)
			ON CONFLICT (serial) DO UPDATE SET chuid = excluded.chuid, seen = excluded.seen`), int64(serial), chuid, milliseconds(l.Now()))
		if err == nil {
			others, err = l.sameCHUID(ctx, tx, serial, chuid)
		}
		return err
	})
	return others, err
}

// SameCHUID returns the serial numbers of other cards that were seen with that CHUID last, in order.
// chuid is the SHA-256 of the object's contents in lower-case hex; none is the same as an empty one.
func (l *Ledger) SameCHUID(ctx context.Context, serial uint32, chuid string) ([]uint32, error) {
	others, err := l.sameCHUID(ctx, l.read, serial, chuid)
	return others, l.failed("look a card's CHUID up", err)
}

func (l *Ledger) sameCHUID(ctx context.Context, q queryer, serial uint32, chuid string) (others []uint32, err error) {
	rows, err := q.QueryContext(ctx, l.rebind(`SELECT serial FROM card_chuid WHERE chuid = ? AND chuid <> '' AND serial <> ? ORDER BY serial`), chuid, int64(serial))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var other int64
		if err := rows.Scan(&other); err != nil {
			return nil, err
		}
		others = append(others, uint32(other))
	}
	return others, rows.Err()
}
