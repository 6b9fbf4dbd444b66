package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// ErrChanged: what is asked for this user changed since the entry was read, or
// another worker acts for the user now. Whatever was done is to be looked at
// anew.
var ErrChanged = errors.New("the entry changed meanwhile")

var errReadOnly = errors.New("the ledger was opened for reading")

// Error is a ledger that could not be read or written.
type Error struct {
	Ledger string
	Doing  string
	Err    error
}

// Error says what was being done.
func (e *Error) Error() string {
	return fmt.Sprintf("%s in ledger %s: %v", e.Doing, e.Ledger, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Passing reports whether a shared ledger may do the same later, such as after a
// restart.
func (e *Error) Passing() bool { return passing(e.Err) }

// Hint says what helps: most often room on the disk.
func (e *Error) Hint() string {
	switch sqliteCode(e.Err) {
	case 13: // SQLITE_FULL
		return "make room on the disk of the ledger, then run the same command again: it goes on where it was"
	case 10: // SQLITE_IOERR
		return "the disk of the ledger, or the way to it, fails: look at the system's log; when it is sound again, run the same command: it goes on where it was"
	case 8, 14: // SQLITE_READONLY, SQLITE_CANTOPEN
		return "make the ledger's file and folder writable, or name another with --store"
	case 11, 26: // SQLITE_CORRUPT, SQLITE_NOTADB
		return "the file is damaged or no ledger: restore it from a backup, or name another with --store; Gmail is asked what it has, so that nothing is doubled"
	}
	var newer *NewerError
	var older *OlderError
	var refused *pgconn.PgError
	var path *fs.PathError
	var taken *TakenError
	switch {
	case errors.As(e.Err, &taken):
		return "let one of the two end, and leave " + e.Ledger + ".lock alone; then run the same command again: Gmail is asked what it has, so that nothing is doubled"
	case errors.Is(e.Err, errMoved):
		return "put the file back where it was, or leave it, and run the same command again: Gmail is asked what it has, so that nothing is doubled"
	case errors.Is(e.Err, syscall.EIO):
		return "the disk of the ledger, or the way to it, fails: look at the system's log"
	case errors.As(e.Err, &newer):
		return newer.Hint()
	case errors.As(e.Err, &older):
		return older.Hint()
	case errors.Is(e.Err, syscall.ENOSPC):
		return "make room on the disk of the ledger, then run the same command again"
	case errors.As(e.Err, &refused) && refused.Code == "42501": // insufficient_privilege
		return "let the user who logs in own the database: createdb --owner USER DATABASE"
	case errors.As(e.Err, &path):
		return "make the ledger's file and folder writable, or name another with --store"
	}
	if strings.HasPrefix(e.Ledger, "postgres") {
		return "check that PostgreSQL answers, then run the same command again: it goes on where it was"
	}
	return ""
}

// NewerError: a newer version of this program made the ledger's tables.
type NewerError struct{ Has, Known int64 }

// Error says how far apart the two are.
func (e *NewerError) Error() string {
	return fmt.Sprintf("its tables are of version %d, and this program knows them up to version %d", e.Has, e.Known)
}

// Hint says what helps.
func (e *NewerError) Hint() string {
	return "use the version of cse-piv that the others use who work with this ledger, or a newer one"
}

// sqliteCode is SQLite's primary result code, 0 for other errors.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// sqliteError is SQLite's code for a statement that names what is not there.
const sqliteError = 1

func (l *Ledger) failed(doing string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return &Error{Ledger: l.name, Doing: doing, Err: err}
}
