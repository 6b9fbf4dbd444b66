package ledger

import (
	"context"
	"time"
)

// deadAfter is how long a worker of a shared ledger may be silent before others
// take up its work. A worker that cannot report stops acting well before.
const deadAfter = 30 * time.Second

// databaseNow is PostgreSQL's clock in milliseconds: one clock for all workers.
const databaseNow = `(extract(epoch FROM clock_timestamp()) * 1000)::bigint`

// Heartbeat says that a worker of a shared ledger is alive, and reads the database's
// clock; the first one enters it, and each takes dead workers off the list. name is a
// person's name for it.
func (l *Ledger) Heartbeat(ctx context.Context, id, name string) error {
	if !l.Shared() {
		return nil
	}
	asked, seen := time.Now(), int64(0)
	err := l.write.QueryRowContext(ctx, l.rebind(`WITH dead AS (DELETE FROM worker WHERE seen <= `+databaseNow+` - ? AND id <> ?)
		INSERT INTO worker (id, name, started, seen) VALUES (?, ?, `+databaseNow+`, `+databaseNow+`)
		ON CONFLICT (id) DO UPDATE SET seen = excluded.seen RETURNING seen`), deadAfter.Milliseconds(), id, id, name).Scan(&seen)
	if err == nil {
		l.answered(seen, asked)
	}
	return l.failed("report a worker alive", err)
}

// Leave takes a worker off the list.
func (l *Ledger) Leave(ctx context.Context, id string) error {
	if !l.Shared() {
		return nil
	}
	_, err := l.write.ExecContext(ctx, l.rebind(`DELETE FROM worker WHERE id = ?`), id)
	return l.failed("take a worker off the list", err)
}

// Workers counts the workers of a shared ledger that are alive.
func (l *Ledger) Workers(ctx context.Context) (int, error) {
	if !l.Shared() {
		return 0, nil
	}
	var n int
	err := l.read.QueryRowContext(ctx, l.rebind(`SELECT count(*) FROM worker WHERE seen > `+databaseNow+` - ?`), deadAfter.Milliseconds()).Scan(&n)
	return n, l.failed("count the workers", err)
}
