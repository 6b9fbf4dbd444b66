package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// lockPoll is how often a waiting process looks again.
const lockPoll = 200 * time.Millisecond

// HeldError: another process works with the ledger.
type HeldError struct {
	Path   string
	Holder string // process@host, or "" where it did not say
}

// Error names the ledger and who holds it.
func (e *HeldError) Error() string {
	holder := e.Holder
	if holder == "" {
		holder = "another process"
	}
	return fmt.Sprintf("ledger %s is in use by %s", e.Path, holder)
}

// Hint says how to wait or share.
func (e *HeldError) Hint() string {
	return "try again when that has ended (batch waits for it with --wait), or let several processes share a ledger in PostgreSQL: --store postgres://…"
}

// hold makes the file where it is missing and takes the lock beside it; the
// returned function gives it back. The kernel gives it back when the process dies.
func hold(ctx context.Context, path string, options Options) (func() error, error) {
	if err := createPrivate(path); err != nil {
		return nil, &Error{Ledger: path, Doing: "make the file", Err: err}
	}
	// A file that links lead to is one ledger under all of its names.
	file, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, &Error{Ledger: path, Doing: "find the file", Err: err}
	}
	lock, err := durable.Folder(filepath.Dir(file)).Lock(filepath.Base(file) + ".lock")
	got := false
	if err == nil {
		got, err = lock.TryLock()
	}
	if err != nil {
		return nil, &Error{Ledger: path, Doing: "lock the file", Err: err}
	}
	if !got {
		holder := readHolder(file)
		if !options.Wait {
			return nil, errors.Join(&HeldError{Path: path, Holder: holder}, lock.Close())
		}
		if options.Waiting != nil {
			options.Waiting(holder)
		}
		switch _, err := lock.TryLockContext(ctx, lockPoll); {
		case errors.Is(err, context.DeadlineExceeded):
			return nil, errors.Join(&HeldError{Path: path, Holder: readHolder(file)}, lock.Close())
		case err != nil:
			return nil, errors.Join(fmt.Errorf("wait for the ledger: %w", err), lock.Close())
		}
	}
	// In a file of its own: a locked one cannot be read on Windows. Who holds the
	// lock is good to know, not more.
	_ = durable.WriteFile(file+".holder", []byte(holderName()+"\n"), 0o600)
	return func() error {
		_ = os.Remove(file + ".holder")
		return lock.Close()
	}, nil
}

func holderName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}

func readHolder(file string) string {
	const longest = 1000
	data, err := durable.ReadFile(file+".holder", longest)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
