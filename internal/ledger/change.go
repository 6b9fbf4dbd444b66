package ledger

import (
	"context"
	"database/sql"
	"errors"
)

// change runs one transaction, patiently: do may be called more than once, and may
// find its own work done already where only the answer was lost.
func (l *Ledger) change(ctx context.Context, doing string, do func(*sql.Tx) error) error {
	if l.readOnly {
		return l.failed(doing, errReadOnly)
	}
	if l.lock != nil {
		if err := l.lock.check(); err != nil {
			return l.failed(doing, err)
		}
	}
	return l.failed(doing, l.Retry(ctx, func() error {
		tx, err := l.write.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return errors.Join(err, ignoreDone(tx.Rollback()))
		}
		return tx.Commit()
	}))
}

// ignoreDone passes over a transaction that ended with its context.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
