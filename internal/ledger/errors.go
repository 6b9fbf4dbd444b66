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

	"github.com/cse-piv/cse-piv/internal/durable"
)

// ErrChanged is returned where what is asked for this user changed since the entry was read, or
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

// Error says what was being done, or that the file is none of a ledger.
func (e *Error) Error() string {
	switch sqliteCode(e.Err) {
	case 11: // SQLITE_CORRUPT
		return fmt.Sprintf("%s in ledger %s: its file is damaged", e.Doing, e.Ledger)
	case 26: // SQLITE_NOTADB
		return e.Ledger + " is not a ledger"
	}
	return fmt.Sprintf("%s in ledger %s: %v", e.Doing, e.Ledger, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Passing reports whether a shared ledger may do the same later, such as after a
// restart.
func (e *Error) Passing() bool { return passing(e.Err) }

// Problem is what is wrong with a ledger.
type Problem string

// The problems of a ledger.
const (
	ProblemFull        Problem = "full"         // its disk has no room
	ProblemDisk        Problem = "disk"         // its disk, or the way to it, fails
	ProblemNotWritable Problem = "not-writable" // its file or folder cannot be opened or written
	ProblemDamaged     Problem = "damaged"      // its file is damaged, or no ledger
	ProblemTaken       Problem = "taken"        // another process took it; see [TakenError]
	ProblemMoved       Problem = "moved"        // its file was deleted or replaced
	ProblemNewer       Problem = "newer"        // see [NewerError]
	ProblemOlder       Problem = "older"        // see [OlderError]
	ProblemNotOwner    Problem = "not-owner"    // the user who logs in may not make its tables
	ProblemServer      Problem = "server"       // anything else in PostgreSQL
	ProblemOther       Problem = ""
)

// Problem returns what is wrong.
func (e *Error) Problem() Problem {
	switch sqliteCode(e.Err) {
	case 13: // SQLITE_FULL
		return ProblemFull
	case 10: // SQLITE_IOERR
		return ProblemDisk
	case 8, 14: // SQLITE_READONLY, SQLITE_CANTOPEN
		return ProblemNotWritable
	case 11, 26: // SQLITE_CORRUPT, SQLITE_NOTADB
		return ProblemDamaged
	}
	var refused *pgconn.PgError
	switch {
	case errors.As(e.Err, new(*TakenError)):
		return ProblemTaken
	case errors.Is(e.Err, errMoved):
		return ProblemMoved
	case errors.Is(e.Err, syscall.EIO):
		return ProblemDisk
	case errors.As(e.Err, new(*NewerError)):
		return ProblemNewer
	case errors.As(e.Err, new(*OlderError)):
		return ProblemOlder
	case errors.Is(e.Err, durable.ErrDiskFull):
		return ProblemFull
	case errors.As(e.Err, &refused) && refused.Code == "42501": // insufficient_privilege
		return ProblemNotOwner
	case errors.As(e.Err, new(*fs.PathError)):
		return ProblemNotWritable
	case strings.HasPrefix(e.Ledger, "postgres"):
		return ProblemServer
	}
	return ProblemOther
}

// NewerError is returned where a newer version of this program made the ledger's tables. Has is
// the number of their last migration, and Known of the last one that this version has.
type NewerError struct{ Has, Known int64 }

// Error says how far apart the two are.
func (e *NewerError) Error() string {
	return fmt.Sprintf("its tables are of version %d, and this program knows them up to version %d", e.Has, e.Known)
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
