package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

// The entries are the queue: who waits and is due can be claimed. The claim is also
// the fence: what a task records counts only while its worker has the claim, and the
// entry asks for the same as when it was claimed.

// Task is an entry that a worker acts for.
type Task struct {
	Entry
	worker   string // its id
	revision int64
}

// claimTime bounds how long a claim is waited for: a database may be restarted.
const claimTime = 30 * time.Second

// Claim returns waiting entries of a run that are due, most at most, with chains, for
// a worker to act on: those first that no earlier run registered. Run 0 of a shared
// ledger stands for every run whose source was read to its end. active are the users
// whom the worker acts for already.
//
// On a shared ledger no other worker is given the entry until the task was recorded as
// done, failed or to be tried again, was released, or this worker counts as dead. A
// claim whose answer was lost is made again, as the user is not among the active ones.
func (l *Ledger) Claim(ctx context.Context, run int64, worker string, active []string, most int) ([]Task, error) {
	keys := make([]string, len(active))
	for i, email := range active {
		keys[i] = Key(email)
	}
	known, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()
	var found []*stored
	err = l.Retry(ctx, func() error {
		if !l.Shared() {
			// Of one process; what it acts for it knows.
			found, err = l.fetch(ctx, l.read, `WHERE run = ? AND state = 'waiting' AND due <= ? AND email NOT IN (SELECT value FROM json_each(?))
				ORDER BY earlier, due, email LIMIT ?`, true, run, milliseconds(l.Now()), string(known), most)
			return err
		}
		found, err = l.fetchRows(ctx, l.write, claimShared, true, run, run, milliseconds(l.Now()), string(known), worker, deadAfter.Milliseconds(), most, most, worker)
		return err
	})
	tasks := make([]Task, len(found))
	for i, entry := range found {
		tasks[i] = Task{Entry: entry.Entry, worker: worker, revision: entry.revision}
	}
	return tasks, l.failed("claim entries", err)
}

// claimShared looks run by run, so that each is one look into the index, and passes
// over rows that another worker is claiming just now.
const claimShared = `WITH next AS MATERIALIZED (
		SELECT due_entry.key FROM (SELECT id FROM run WHERE id = ? OR ? = 0 AND read > 0 AND NOT dry_run ORDER BY id) AS open_run
		CROSS JOIN LATERAL (
			SELECT email AS key FROM entry WHERE run = open_run.id AND state = 'waiting' AND due <= ?
				AND email NOT IN (SELECT json_array_elements_text(?))
				AND (claim IN ('', ?) OR NOT EXISTS (SELECT 1 FROM worker WHERE worker.id = entry.claim AND worker.seen > ` + databaseNow + ` - ?))
			ORDER BY earlier, due, email LIMIT ? FOR UPDATE SKIP LOCKED) AS due_entry
		LIMIT ?)
	UPDATE entry SET claim = ? FROM next WHERE email = next.key RETURNING ` + entryColumns

// CheckClaim returns ErrChanged when a worker lost its claim, or when what is asked
// for changed since the entry was claimed.
func (l *Ledger) CheckClaim(ctx context.Context, task Task) error {
	if !l.Shared() {
		return nil // in use by this process
	}
	var n int
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	err := l.Retry(ctx, func() error {
		return l.read.QueryRowContext(ctx, l.rebind(`SELECT count(*) FROM entry WHERE email = ? AND revision = ? AND claim = ?`),
			Key(task.Email), task.revision, task.worker).Scan(&n)
	})
	if err == nil && n == 0 {
		return ErrChanged
	}
	return l.failed("look at the claim", err)
}

// Release gives up the claim on a task, even where what is asked for has changed. The
// user is not due again before wait is over.
func (l *Ledger) Release(ctx context.Context, task Task, wait time.Duration) error {
	if !l.Shared() && wait <= 0 {
		return nil
	}
	ctx, cancel := l.recording(ctx)
	defer cancel()
	return l.record(ctx, "release an entry", func(tx *sql.Tx) error {
		query, args := `UPDATE entry SET claim = '', due = ? WHERE email = ?`, []any{l.dueIn(wait), Key(task.Email)}
		if l.Shared() {
			query, args = query+` AND claim = ?`, append(args, task.worker)
		}
		_, err := tx.ExecContext(ctx, l.rebind(query), args...)
		return err
	})
}

// dueIn is when an entry is due that is to be tried again after a time.
func (l *Ledger) dueIn(wait time.Duration) int64 {
	if wait <= 0 {
		return 0
	}
	return milliseconds(l.Now().Add(wait))
}
