package ledger

import (
	"context"
	"database/sql"
	"time"
)

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
func (l *Ledger) RecordDone(ctx context.Context, task Task, by string, unchanged bool) error {
	ctx, cancel := l.recording(ctx)
	defer cancel()
	return l.record(ctx, "record an identity", func(tx *sql.Tx) error {
		const done = `state = 'done', class = '', reason = '', message = '', hint = '', claim = ''`
		if unchanged {
			return l.touch(ctx, tx, task, done)
		}
		return l.touch(ctx, tx, task, done+`, step = ?, worker = ?, updated = ?, earlier = ?`, StepIdentity, by, milliseconds(l.Now()), false)
	})
}

// RecordFailure notes that and why a user failed: task's class, reason, message and
// hint.
func (l *Ledger) RecordFailure(ctx context.Context, task Task, by string) error {
	return l.recordTrouble(ctx, task, `state = 'failed', worker = ?, updated = ?, earlier = ?`, by, milliseconds(l.Now()), false)
}

// RecordRetry notes why a user is not done, and is to be tried again after a time.
// One that an earlier run brought to its end stays that.
func (l *Ledger) RecordRetry(ctx context.Context, task Task, wait time.Duration) error {
	return l.recordTrouble(ctx, task, `due = ?`, l.dueIn(wait))
}

func (l *Ledger) recordTrouble(ctx context.Context, task Task, set string, args ...any) error {
	ctx, cancel := l.recording(ctx)
	defer cancel()
	return l.record(ctx, "record a failure", func(tx *sql.Tx) error {
		return l.touch(ctx, tx, task, `attempts = ?, class = ?, reason = ?, message = ?, hint = ?, claim = '', `+set,
			append([]any{task.Attempts, string(task.Class), task.Reason, task.Message, task.Hint}, args...)...)
	})
}

// recordTime bounds one change of a shared ledger.
const recordTime = 10 * time.Second

// recording is the context for a change that is made even when its caller does
// not want to go on: it is about what has happened already.
func (l *Ledger) recording(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithoutCancel(ctx)
	if !l.Shared() {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, recordTime)
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
