package ledger

import (
	"context"
	"database/sql"
	"time"
)

// deadAfter is how long a worker of a shared ledger may be silent before others
// take up its work. A worker that cannot report stops acting well before.
const deadAfter = 30 * time.Second

// DeadAfter tells how long a worker of a shared ledger may be silent.
func DeadAfter() time.Duration { return deadAfter }

// databaseNow is PostgreSQL's clock in milliseconds: one clock for all workers.
const databaseNow = `(extract(epoch FROM clock_timestamp()) * 1000)::bigint`

// Heartbeat says that a worker of a shared ledger is alive; the first one enters
// it. name is a person's name for it.
func (l *Ledger) Heartbeat(ctx context.Context, id, name string) error {
	if !l.Shared() {
		return nil
	}
	_, err := l.write.ExecContext(ctx, l.rebind(`INSERT INTO worker (id, name, started, seen) VALUES (?, ?, `+databaseNow+`, `+databaseNow+`)
		ON CONFLICT (id) DO UPDATE SET seen = excluded.seen`), id, name)
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

// Requeue puts the jobs of dead workers back into the queue and returns how many
// there were. On a file, which one process holds, every job that is marked as
// running was left by a dead process; call it before work begins.
func (l *Ledger) Requeue(ctx context.Context) (int, error) {
	query, args := `UPDATE river_job SET state = 'available' WHERE state = 'running'`, []any{}
	if l.Shared() {
		query += ` AND NOT EXISTS (SELECT 1 FROM worker WHERE worker.id = river_job.attempted_by[array_upper(river_job.attempted_by, 1)] AND worker.seen > ` + databaseNow + ` - ?)`
		args = append(args, deadAfter.Milliseconds())
	}
	var n int64
	err := l.change(ctx, "take up the work of dead workers", func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, l.rebind(query), args...)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return int(n), err
}

// ClearQueue empties the queue of a file, so that it can be filled from the
// entries again. A shared queue is left alone.
func (l *Ledger) ClearQueue(ctx context.Context) error {
	if l.Shared() {
		return nil
	}
	return l.change(ctx, "clear the queue", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM river_job`)
		return err
	})
}
