package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// openReadOnly opens the file at path for reading. Where that cannot be done beside the file,
// in a folder that cannot be written, or without changing it, in the tables of an
// older version, a copy is looked at, which Close removes.
func (l *Ledger) openReadOnly(ctx context.Context, path string) error {
	file, err := durable.Open(path)
	if errors.Is(err, durable.ErrNotRegular) {
		return l.failed("open it for reading", err)
	}
	if err != nil {
		return &MissingError{Path: path, Err: err}
	}
	if err := file.Close(); err != nil {
		return l.failed("open it for reading", err)
	}
	makeBeside(path, false)
	l.openReader(path)
	has, err := l.version(ctx)
	if code := sqliteCode(err); code == 8 || code == 14 { // SQLITE_READONLY, SQLITE_CANTOPEN: nothing can be put beside it
		if err := errors.Join(l.read.Close(), l.copyFile(path)); err != nil {
			return err
		}
		has, err = l.version(ctx)
	}
	known := newestVersion(migrations, "migrations/sqlite")
	l.has, l.known = has, known
	switch {
	case err != nil:
		return err
	case has > known:
		return l.failed("open it for reading", &NewerError{Has: has, Known: known})
	case has == known:
		return nil
	}
	if l.dir == "" {
		if err := l.copyWhole(ctx); err != nil {
			return err
		}
	}
	return l.upgradeCopy(ctx)
}

func (l *Ledger) openReader(path string) {
	l.read = openSQLite(path, "query_only(1)")
	l.read.SetMaxOpenConns(4)
}

// copyFile copies the file, with which no process works (or it could be opened), and
// its log to a folder of their own, and opens the copy.
func (l *Ledger) copyFile(path string) error {
	copied, err := l.copyPath()
	if err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal"} {
		if err := copyTo(copied+suffix, path+suffix); err != nil && !(suffix != "" && errors.Is(err, fs.ErrNotExist)) {
			return l.failed("copy it to look at it", err)
		}
	}
	l.openReader(copied)
	return nil
}

// copyWhole copies what the ledger has at one moment, also while another process
// works with it, and opens the copy.
func (l *Ledger) copyWhole(ctx context.Context) error {
	copied, err := l.copyPath()
	if err != nil {
		return err
	}
	source := openSQLite(l.name)
	defer source.Close()
	if _, err := source.ExecContext(ctx, `VACUUM INTO ?`, copied); err != nil {
		return l.failed("copy it to look at it", err)
	}
	if err := l.read.Close(); err != nil {
		return err
	}
	l.openReader(copied)
	return nil
}

// copyPath makes the folder of the copy.
func (l *Ledger) copyPath() (string, error) {
	dir, err := durable.MakeTemporary("cse-piv-ledger-")
	if err != nil {
		return "", fmt.Errorf("copy the ledger to look at it: %w", err)
	}
	l.dir = dir
	return filepath.Join(dir, "ledger.db"), nil
}

func copyTo(to, from string) error {
	in, err := durable.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// upgradeCopy brings the copy's tables up to date.
func (l *Ledger) upgradeCopy(ctx context.Context) error {
	writer := openSQLite(filepath.Join(l.dir, "ledger.db"), writerPragmas(Options{})...)
	defer writer.Close()
	upgrading := &Ledger{name: l.name, write: writer}
	return l.failed("read tables of an older version", upgrading.migrateFrom(ctx, migrations))
}

// lookShared returns an error where the tables of a database are not those that this
// program knows; a *MissingError for one that is no ledger yet.
func (l *Ledger) lookShared(ctx context.Context) error {
	has, err := l.version(ctx)
	known := newestVersion(migrations, "migrations/postgres")
	l.has, l.known = has, known
	switch {
	case err != nil:
		return err
	case has > known:
		return l.failed("open it for reading", &NewerError{Has: has, Known: known})
	case has < known:
		return l.failed("open it for reading", &OlderError{Has: has, Known: known})
	}
	return nil
}

// version is that of the ledger's tables; the error is a *MissingError for a file or
// a database that is no ledger yet.
func (l *Ledger) version(ctx context.Context) (int64, error) {
	var has int64
	err := l.read.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM `+migrationTable+` WHERE is_applied`).Scan(&has)
	var refused *pgconn.PgError
	if sqliteCode(err) == sqliteError || errors.As(err, &refused) && refused.Code == "42P01" { // undefined_table
		return 0, &MissingError{Path: l.name, Err: fs.ErrNotExist}
	}
	return has, l.failed("open it for reading", err)
}

// newestVersion is the last of a folder's migrations.
func newestVersion(from fs.FS, folder string) int64 {
	entries, err := fs.ReadDir(from, folder)
	if err != nil {
		return 0
	}
	var versions []int64
	for _, entry := range entries {
		if version, err := goose.NumericComponent(entry.Name()); err == nil {
			versions = append(versions, version)
		}
	}
	return slices.Max(versions)
}

// OlderError is returned where an older version of this program made the tables of a ledger that
// is only read, which does not change them; Has and Known are as in NewerError.
type OlderError struct{ Has, Known int64 }

// Error says how far apart the two are.
func (e *OlderError) Error() string {
	return fmt.Sprintf("its tables are of version %d, and this program needs version %d", e.Has, e.Known)
}
