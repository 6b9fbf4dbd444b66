package ledger

import (
	"context"
	"database/sql"
	"errors"
)

// change runs one transaction.
func (l *Ledger) change(ctx context.Context, doing string, do func(*sql.Tx) error) error {
	if l.readOnly {
		return l.failed(doing, errReadOnly)
	}
	tx, err := l.write.BeginTx(ctx, nil)
	if err != nil {
		return l.failed(doing, err)
	}
	if err := do(tx); err != nil {
		return l.failed(doing, errors.Join(err, ignoreDone(tx.Rollback())))
	}
	return l.failed(doing, tx.Commit())
}

// ignoreDone passes over a transaction that ended with its context.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
