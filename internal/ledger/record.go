package ledger

import (
	"context"
	"database/sql"
	"time"
)

// Task is an entry that a worker acts for.
type Task struct {
	Entry
	worker   string // its id
	revision int64
}

// Take returns the entry of a user for a worker to act on, with chains, and
// whether there is something to do. On a shared ledger it is claimed; while
// another worker that is alive has it, the error is ErrChanged.
func (l *Ledger) Take(ctx context.Context, email, worker string) (Task, bool, error) {
	var task Task
	var found bool
	ctx, cancel := context.WithTimeout(ctx, takingTime)
	defer cancel()
	err := l.Patiently(ctx, func() (err error) {
		task, found, err = l.take(ctx, Key(email), worker)
		return err
	})
	return task, found, err
}

// takingTime bounds how long a task is waited for: a database may be restarted.
const takingTime = 30 * time.Second

func (l *Ledger) take(ctx context.Context, key, worker string) (Task, bool, error) {
	claimed := true
	if l.Shared() {
		result, err := l.write.ExecContext(ctx, l.rebind(`UPDATE entry SET claim = ? WHERE email = ? AND state = 'waiting' AND (claim = '' OR claim = ? OR NOT EXISTS
			(SELECT 1 FROM worker WHERE worker.id = entry.claim AND worker.seen > `+databaseNow+` - ?))`),
			worker, key, worker, deadAfter.Milliseconds())
		if err != nil {
			return Task{}, false, l.failed("claim an entry", err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return Task{}, false, l.failed("claim an entry", err)
		}
		claimed = n > 0
	}
	found, err := l.fetch(ctx, l.read, "WHERE email = ?", true, key)
	if err != nil || len(found) == 0 || found[0].State != StateWaiting {
		return Task{}, false, l.failed("read an entry", err)
	}
	if !claimed {
		return Task{}, false, ErrChanged
	}
	return Task{Entry: found[0].Entry, worker: worker, revision: found[0].revision}, true, nil
}

// StillMine returns ErrChanged when a worker lost its claim, or when what is
// asked for changed since it took the task.
func (l *Ledger) StillMine(ctx context.Context, task Task) error {
	if !l.Shared() {
		return nil // held by this process
	}
	var n int
	ctx, cancel := context.WithTimeout(ctx, recordingTime)
	defer cancel()
	err := l.Patiently(ctx, func() error {
		return l.read.QueryRowContext(ctx, l.rebind(`SELECT count(*) FROM entry WHERE email = ? AND revision = ? AND claim = ?`),
			Key(task.Email), task.revision, task.worker).Scan(&n)
	})
	if err == nil && n == 0 {
		return ErrChanged
	}
	return l.failed("look at the claim", err)
}

// RecordKeyPair notes Gmail's name for a pair's leaf. It is on the disk when this
// returns; the error may be ErrChanged.
func (l *Ledger) RecordKeyPair(ctx context.Context, task Task, pair Pair) error {
	ctx, cancel := l.recording(ctx)
	defer cancel()
	key := Key(task.Email)
	return l.record(ctx, "record a key pair", func(tx *sql.Tx) error {
		if err := l.touch(ctx, tx, task, `step = ?, updated = ?`, StepKeyPair, milliseconds(l.Now())); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, l.rebind(`UPDATE pair SET key_pair_id = ?, created = ? WHERE email = ? AND leaf = ? AND use = ?`),
			pair.KeyPairID, pair.Created, key, pair.LeafSHA256, pair.Use)
		return err
	})
}

// RecordFindings notes what was found besides: the task's warnings, and the other
// key pairs that Gmail has for its certificates. The error may be ErrChanged.
func (l *Ledger) RecordFindings(ctx context.Context, task Task) error {
	warnings, err := encodeWarnings(storable(task.Entry).Warnings)
	if err != nil {
		return err
	}
	ctx, cancel := l.recording(ctx)
	defer cancel()
	return l.record(ctx, "record what was found", func(tx *sql.Tx) error {
		if err := l.touch(ctx, tx, task, `warnings = ?`, warnings); err != nil {
			return err
		}
		for _, pair := range task.Pairs {
			if _, err := tx.ExecContext(ctx, l.rebind(`UPDATE pair SET superfluous = ?, in_key_service = ? WHERE email = ? AND leaf = ? AND use = ?`),
				joinIDs(pair.Superfluous), joinIDs(pair.InKeyService), Key(task.Email), pair.LeafSHA256, pair.Use); err != nil {
				return err
			}
		}
		return nil
	})
}

// RecordDone notes that everything is as asked. An entry that an earlier run
// brought there, found again as it was, keeps the time at which it was done.
func (l *Ledger) RecordDone(ctx context.Context, task Task, by string, found bool) error {
	ctx, cancel := l.recording(ctx)
	defer cancel()
	return l.record(ctx, "record an identity", func(tx *sql.Tx) error {
		const done = `state = 'done', class = '', reason = '', message = '', hint = '', claim = ''`
		if found {
			return l.touch(ctx, tx, task, done)
		}
		return l.touch(ctx, tx, task, done+`, step = ?, worker = ?, updated = ?, earlier = ?`, StepIdentity, by, milliseconds(l.Now()), false)
	})
}

// RecordTrouble notes why a user is not done: task's class, reason, message and
// hint. With final it has failed, else it waits for another attempt; one that an
// earlier run brought to its end then stays that.
func (l *Ledger) RecordTrouble(ctx context.Context, task Task, by string, final bool) error {
	ctx, cancel := l.recording(ctx)
	defer cancel()
	return l.record(ctx, "record a failure", func(tx *sql.Tx) error {
		set := `attempts = ?, class = ?, reason = ?, message = ?, hint = ?, claim = ''`
		args := []any{task.Attempts, string(task.Class), task.Reason, task.Message, task.Hint}
		if final {
			set += `, state = 'failed', worker = ?, updated = ?, earlier = ?`
			args = append(args, by, milliseconds(l.Now()), false)
		}
		return l.touch(ctx, tx, task, set, args...)
	})
}

// LetGo gives up the claim on a task, even where what is asked for has changed.
func (l *Ledger) LetGo(ctx context.Context, task Task) error {
	if !l.Shared() {
		return nil
	}
	ctx, cancel := l.recording(ctx)
	defer cancel()
	return l.record(ctx, "let go of an entry", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, l.rebind(`UPDATE entry SET claim = '' WHERE email = ? AND claim = ?`), Key(task.Email), task.worker)
		return err
	})
}

// recordingTime bounds one change of a shared ledger.
const recordingTime = 10 * time.Second

// recording is the context for a change that is made even when its caller does
// not want to go on: it is about what has happened already.
func (l *Ledger) recording(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithoutCancel(ctx)
	if !l.Shared() {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, recordingTime)
}

// touch changes the entry of a task, if it is still the task's.
func (l *Ledger) touch(ctx context.Context, tx *sql.Tx, task Task, set string, args ...any) error {
	query := `UPDATE entry SET ` + set + ` WHERE email = ? AND revision = ?`
	args = append(args, Key(task.Email), task.revision)
	if l.Shared() {
		query, args = query+` AND claim = ?`, append(args, task.worker)
	}
	result, err := tx.ExecContext(ctx, l.rebind(query), args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errorOr(err, ErrChanged)
	}
	return nil
}

func errorOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// MarkEarlier takes over that an earlier run, in another ledger, brought an entry
// to its end. One that failed meanwhile stays so.
func (l *Ledger) MarkEarlier(ctx context.Context, known Entry) error {
	return l.record(ctx, "take over an entry", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, l.rebind(`UPDATE entry SET state = 'done', step = ?, worker = ?, updated = ?, earlier = ? WHERE email = ? AND state = 'waiting'`),
			known.Step, known.Worker, milliseconds(known.Updated), true, Key(known.Email))
		return err
	})
}
