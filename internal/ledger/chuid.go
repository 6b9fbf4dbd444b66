package ledger

import (
	"context"
	"database/sql"
)

// NoteCHUID enters with which CHUID a card was seen, and returns the serial numbers of other cards
// that were seen with the same one last, in order. chuid is the SHA-256 of the object's contents in
// lower-case hex.
func (l *Ledger) NoteCHUID(ctx context.Context, serial uint32, chuid string) (others []uint32, err error) {
	err = l.change(ctx, "note a card's CHUID", func(tx *sql.Tx) error {
		others = nil
		_, err := tx.ExecContext(ctx, l.rebind(`INSERT INTO card_chuid (serial, chuid, seen) VALUES (?, ?, ?)
			ON CONFLICT (serial) DO UPDATE SET chuid = excluded.chuid, seen = excluded.seen`), int64(serial), chuid, milliseconds(l.Now()))
		if err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, l.rebind(`SELECT serial FROM card_chuid WHERE chuid = ? AND serial <> ? ORDER BY serial`), chuid, int64(serial))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var other int64
			if err := rows.Scan(&other); err != nil {
				return err
			}
			others = append(others, uint32(other))
		}
		return rows.Err()
	})
	return others, err
}
