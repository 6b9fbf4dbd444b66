package ledger

import (
	"context"
	"database/sql"
)

// Queue is the name of the jobs in River's tables that are about entries.
const Queue = "register"

// Requeue puts the jobs of dead workers of a shared ledger back into the queue,
// forgets these workers, and returns how many jobs there were.
func (l *Ledger) Requeue(ctx context.Context) (int, error) {
	if !l.Shared() {
		return 0, nil
	}
	var n int64
	err := l.change(ctx, "take up the work of dead workers", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, l.rebind(`DELETE FROM worker WHERE seen <= `+databaseNow+` - ?`), deadAfter.Milliseconds()); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, l.rebind(`UPDATE river_job SET state = 'available' WHERE queue = ? AND state = 'running'
			AND NOT EXISTS (SELECT 1 FROM worker WHERE worker.id = river_job.attempted_by[array_upper(river_job.attempted_by, 1)])`), Queue)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return int(n), err
}

// Forgotten lists waiting entries of a shared ledger that have no job, limit at
// most: of runs whose source was read to its end.
func (l *Ledger) Forgotten(ctx context.Context, limit int) ([]Turn, error) {
	if !l.Shared() {
		return nil, nil
	}
	turns, err := l.turns(ctx, `state = 'waiting' AND run IN (SELECT id FROM run WHERE read > 0 AND NOT dry_run) AND NOT EXISTS
		(SELECT 1 FROM river_job WHERE queue = ? AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled') AND args->>'email' = entry.email)`, limit, Queue)
	return turns, l.failed("look for entries without a job", err)
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
