package ledger

import (
	"context"
	"embed"
	"errors"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// migrationLock is an advisory lock of PostgreSQL: desks that start at the same
// time make the tables one after the other.
const migrationLock = 0x6373652d706976

// migrationTable is where goose keeps which migrations were carried out.
const migrationTable = "ledger_migration"

// migrate brings the tables to the newest version; on a shared ledger one process
// does so at a time.
func (l *Ledger) migrate(ctx context.Context) (err error) {
	if !l.Shared() {
		return l.migrateFrom(ctx, migrations)
	}
	connection, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer connection.Release()
	if _, err := connection.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	defer func() {
		_, unlockErr := connection.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrationLock))
		err = errors.Join(err, unlockErr)
	}()
	return l.migrateFrom(ctx, migrations)
}

// migrateFrom brings the tables to the newest version that from knows.
func (l *Ledger) migrateFrom(ctx context.Context, from fs.FS) error {
	dialect, folder := goose.DialectSQLite3, "migrations/sqlite"
	if l.Shared() {
		dialect, folder = goose.DialectPostgres, "migrations/postgres"
	}
	files, err := fs.Sub(from, folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, l.write, files, goose.WithTableName(migrationTable))
	if err != nil {
		return err
	}
	has, known, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if has > known {
		return &NewerError{Has: has, Known: known}
	}
	_, err = provider.Up(ctx)
	return err
}
