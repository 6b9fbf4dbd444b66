package ledger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// Facts is what can be told of a ledger without opening it to work with.
type Facts struct {
	Name       string // as people may see it
	Has, Known int64  // the version of its tables, and the one that this program needs
	// InUse tells that another process works with the file, which Holder names where it said so.
	InUse  bool
	Holder string
}

// Look returns the facts of a ledger. It changes nothing, and brings no tables up to
// date. Errors are those of Open with ReadOnly, but tables of an older version are none.
func Look(ctx context.Context, url string) (facts Facts, err error) {
	l, err := Open(ctx, url, Options{ReadOnly: true})
	var older *OlderError
	if errors.As(err, &older) {
		var of *Error
		if errors.As(err, &of) {
			facts.Name = of.Ledger
		}
		facts.Has, facts.Known = older.Has, older.Known
		return facts, nil
	}
	if err != nil {
		return Facts{}, err
	}
	facts.Name, facts.Has, facts.Known = l.Name(), l.has, l.known
	if !l.Shared() {
		facts.InUse, facts.Holder = inUse(strings.TrimPrefix(url, "sqlite:"))
	}
	return facts, l.Close()
}

// inUse reports whether another process has the lock of a file. Where no process left
// word that it has, the lock is not touched, so that nobody meets it taken.
func inUse(path string) (bool, string) {
	file, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false, ""
	}
	if _, err := os.Stat(file + ".holder"); err != nil {
		return false, ""
	}
	lock, err := newLock(file)
	if err != nil {
		return false, ""
	}
	defer lock.Close()
	if got, err := lock.TryLock(); err != nil || got {
		return false, "" // who left word has ended
	}
	return true, readHolder(file)
}
