package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// lockPoll is how often a waiting process looks again.
const lockPoll = 200 * time.Millisecond

// InUseError is returned where another process works with the ledger.
type InUseError struct {
	Path   string
	Holder string // process@host, or "" where it did not say
}

// Error names the ledger and who holds it.
func (e *InUseError) Error() string {
	holder := e.Holder
	if holder == "" {
		holder = "another process"
	}
	return fmt.Sprintf("ledger %s is in use by %s", e.Path, holder)
}

// fileLock is the lock on a ledger's file, which lies beside it.
type fileLock struct {
	path string // as it was named
	file string // where links lead to
	warn func(text string)

	mu    sync.Mutex
	lock  *flock.Flock
	inode fs.FileInfo // of the ledger's file
	lost  error
}

// lockFile makes the file where it is missing and takes the lock beside it. The kernel
// gives it back when the process dies.
func lockFile(ctx context.Context, path string, options Options) (*fileLock, error) {
	if err := durable.MakeFile(path); err != nil {
		return nil, &Error{Ledger: path, Doing: "make the file", Err: err}
	}
	// A file that links lead to is one ledger under all of its names.
	file, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, &Error{Ledger: path, Doing: "find the file", Err: err}
	}
	lock, err := newLock(file)
	got := false
	if err == nil {
		got, err = lock.TryLock()
	}
	if err != nil {
		return nil, &Error{Ledger: path, Doing: "lock the file", Err: err}
	}
	if !got {
		holder := readHolder(file)
		if options.Wait <= 0 {
			return nil, errors.Join(&InUseError{Path: path, Holder: holder}, lock.Close())
		}
		if options.Waiting != nil {
			options.Waiting(holder)
		}
		waiting, cancel := context.WithTimeout(ctx, options.Wait)
		defer cancel()
		switch _, err := lock.TryLockContext(waiting, lockPoll); {
		case errors.Is(err, context.DeadlineExceeded):
			return nil, errors.Join(&InUseError{Path: path, Holder: readHolder(file)}, lock.Close())
		case err != nil:
			return nil, errors.Join(fmt.Errorf("wait for the ledger: %w", err), lock.Close())
		}
	}
	h := &fileLock{path: path, file: file, warn: options.Warn, lock: lock}
	h.writeHolder()
	if h.inode, err = os.Stat(file); err == nil {
		err = h.check()
	}
	if err != nil {
		return nil, errors.Join(&Error{Ledger: path, Doing: "lock the file", Err: err}, h.close())
	}
	return h, nil
}

// newLock opens the file of the lock, and makes it where it is missing.
func newLock(file string) (*flock.Flock, error) {
	return durable.Folder(filepath.Dir(file)).Lock(filepath.Base(file) + ".lock")
}

// writeHolder writes who holds the lock, in a file of its own: a locked one cannot be
// read on Windows. It is good to know, not more.
func (l *fileLock) writeHolder() {
	_ = durable.WriteFile(l.file+".holder", []byte(holderName()+"\n"), 0o600)
}

// check sees that the ledger's file and the lock are still this process's: somebody
// may have deleted what nobody seems to need. A lock that is gone is taken anew; where
// another process has it meanwhile, or the file itself is another, the error says so,
// now and from then on.
func (l *fileLock) check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost != nil {
		return l.lost
	}
	if now, err := os.Stat(l.file); err != nil || !os.SameFile(now, l.inode) {
		l.lost = errMoved
		return l.lost
	}
	locked, err := l.lock.Stat()
	if err != nil {
		return err
	}
	if now, err := os.Stat(l.lock.Path()); err == nil && os.SameFile(now, locked) {
		return nil
	}
	again, err := newLock(l.file)
	got := false
	if err == nil {
		got, err = again.TryLock()
	}
	if !got {
		l.lost = &TakenError{Holder: readHolder(l.file), Err: err}
		if again != nil {
			_ = again.Close()
		}
		return l.lost
	}
	err = l.lock.Close()
	l.lock = again
	l.writeHolder()
	if l.warn != nil {
		l.warn("somebody deleted " + again.Path() + ", which keeps other processes off the ledger; it was put back")
	}
	return err
}

// close gives the lock back.
func (l *fileLock) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost == nil {
		_ = os.Remove(l.file + ".holder")
	}
	return l.lock.Close()
}

// errMoved: what is recorded now would be lost.
var errMoved = errors.New("its file was deleted or replaced while this process worked with it")

// TakenError is returned where the lock on a ledger's file was deleted, and another process took it.
type TakenError struct {
	Holder string // process@host, or "" where it did not say
	Err    error  // why it cannot be taken again, nil where somebody has it
}

// Error says who has the ledger now.
func (e *TakenError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("its lock was deleted and cannot be taken again: %v", e.Err)
	}
	return fmt.Sprintf("its lock was deleted, and %s works with it now", cmp.Or(e.Holder, "another process"))
}

// Unwrap returns the cause.
func (e *TakenError) Unwrap() error { return e.Err }

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
