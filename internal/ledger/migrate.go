package ledger

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migrations
var migrations embed.FS

// migrationLock is an advisory lock of PostgreSQL: desks that start at the same
// time make the tables one after the other.
const migrationLock = 0x6373652d706976

// migrationTable is where goose keeps which migrations were carried out.
const migrationTable = "ledger_migration"

// migrate makes our tables and River's.
func (l *Ledger) migrate(ctx context.Context) (err error) {
	if !l.Shared() {
		if err := l.migrateOwn(ctx, migrations); err != nil {
			return err
		}
		return migrateRiver(ctx, riversqlite.New(l.write))
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
	if err := l.migrateOwn(ctx, migrations); err != nil {
		return err
	}
	return migrateRiver(ctx, riverpgxv5.New(l.pool))
}

// migrateOwn brings our tables to the newest version that from knows.
func (l *Ledger) migrateOwn(ctx context.Context, from fs.FS) error {
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

func migrateRiver[TTx any](ctx context.Context, driver riverdriver.Driver[TTx]) error {
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}
