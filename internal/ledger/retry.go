package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cse-piv/cse-piv/internal/sleep"
)

const (
	// retryTimeout is how long a database that went away is waited for. One that is
	// restarted is back before.
	retryTimeout = time.Minute
	// retryStep is how long it is left alone between two tries.
	retryStep = 200 * time.Millisecond
)

// Retry repeats what a shared database could not do because it was restarted
// or the way to it broke, for a minute or until ctx ends. do may find its own work
// done already.
func (l *Ledger) Retry(ctx context.Context, do func() error) error {
	for started := time.Now(); ; {
		err := do()
		if err == nil || !l.Shared() || !passing(err) || time.Since(started) > retryTimeout {
			return err
		}
		if sleep.For(ctx, retryStep) != nil {
			return err
		}
	}
}

// passing reports whether the database may do the same later: anything but a
// refusal of the statement itself.
func passing(err error) bool {
	if errors.Is(err, ErrChanged) || errors.Is(err, context.Canceled) || errors.Is(err, errReadOnly) {
		return false
	}
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return true
	}
	switch refused.Code[:min(2, len(refused.Code))] {
	case "57", "08", "53", "40", "25": // shut down, connection, resources, serialization, read-only for now
		return true
	}
	return false
}
