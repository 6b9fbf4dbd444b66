package evidence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofrs/flock"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// ErrBusy is returned for a user whom another process is enrolling at this moment.
var ErrBusy = errors.New("another run of this program is enrolling the same user")

// lockPoll is how often Lock looks again.
const lockPoll = 50 * time.Millisecond

// Lock keeps other processes with the same evidence from enrolling the user
// until unlock is called or the process ends. While another one has the lock it
// waits; at the context's deadline it returns ErrBusy.
func Lock(ctx context.Context, root, email string) (unlock func() error, err error) {
	lock, err := lockOf(root, email)
	if err != nil {
		return nil, err
	}
	_, err = lock.TryLockContext(ctx, lockPoll)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, ErrBusy
	case errors.Is(err, context.Canceled):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("locking the evidence folder: %w", err)
	}
	return lock.Unlock, nil
}

// TryLock is Lock without waiting.
func TryLock(root, email string) (unlock func() error, err error) {
	lock, err := lockOf(root, email)
	if err != nil {
		return nil, err
	}
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking the evidence folder: %w", err)
	}
	if !locked {
		return nil, ErrBusy
	}
	return lock.Unlock, nil
}

func lockOf(root, email string) (*flock.Flock, error) {
	user, err := userFolder(email)
	if err != nil {
		return nil, err
	}
	all := durable.Folder(root)
	if err := all.Make(user, 0o700); err != nil {
		return nil, fmt.Errorf("creating the evidence folder: %w", err)
	}
	lock, err := all.Lock(user + "/.lock")
	if err != nil {
		return nil, fmt.Errorf("locking the evidence folder: %w", err)
	}
	return lock, nil
}
