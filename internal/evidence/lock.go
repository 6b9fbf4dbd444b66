package evidence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// ErrBusy is a user whom another process is enrolling at this moment.
var ErrBusy = errors.New("another run of this program is enrolling the same user")

// Lock keeps other processes with the same evidence from enrolling the user
// until unlock is called or the process ends. It returns ErrBusy when another
// one has the lock.
func Lock(root, email string) (unlock func() error, err error) {
	user, err := userDir(root, email)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(user, 0o700); err != nil {
		return nil, fmt.Errorf("creating the evidence folder: %w", err)
	}
	lock := flock.New(filepath.Join(user, ".lock"), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking the evidence folder: %w", err)
	}
	if !locked {
		return nil, ErrBusy
	}
	return lock.Unlock, nil
}
