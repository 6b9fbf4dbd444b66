package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cse-piv/cse-piv/internal/durable"
)

// WaitForEver has Open wait for a ledger that is in use until the context ends.
const WaitForEver = time.Duration(math.MaxInt64)

// Options say how a ledger is opened.
type Options struct {
	// ReadOnly opens a ledger that is there to look at it. It takes no lock and
	// changes nothing; writing methods fail. A file may be in a folder that cannot be
	// written, and have the tables of an older version.
	ReadOnly bool
	// Wait is how long a second process on one file waits for the first before Open
	// fails with an *InUseError: 0 not at all, WaitForEver until the context ends.
	Wait time.Duration
	// Waiting is told once who is waited for.
	Waiting func(holder string)
	// Warn is told what is not as it should be and was put right.
	Warn func(text string)
	// MaxBytes bounds the size of a file; beyond it the ledger fails as on a full
	// disk. 0: no bound.
	MaxBytes int64
	// Now is the machine's clock, of which a file's ledger goes on by itself; nil:
	// time.Now.
	Now func() time.Time
}

// Ledger is an open ledger. It is safe for concurrent use.
type Ledger struct {
	name     string
	write    *sql.DB
	read     *sql.DB
	pool     *pgxpool.Pool // nil for a file
	lock     *fileLock     // the lock on a file that is written
	recorder *recorder     // nil where every change is its own transaction
	clock    clock
	readOnly bool
	dir      string // of a temporary ledger
	// has and known are the versions of the tables, as [Look] tells of them.
	has, known int64
	once       sync.Once
}

// Open opens the ledger at url, a file's path or postgres://…, creates it where
// it is missing, and brings its tables up to date. A file is held by one process
// at a time.
func Open(ctx context.Context, url string, options Options) (*Ledger, error) {
	var l *Ledger
	var err error
	if isPostgres(url) {
		l, err = openPostgres(ctx, url, options)
	} else {
		l, err = openFile(ctx, url, options)
	}
	if err != nil {
		return nil, err
	}
	if options.ReadOnly {
		return l, nil
	}
	if err := l.migrate(ctx); err != nil {
		return nil, errors.Join(l.failed("bring the tables up to date", err), l.Close())
	}
	if !l.Shared() {
		l.recorder = newRecorder(l)
	}
	return l, nil
}

// OpenTemporary makes a ledger that Close removes, for a run that is to leave no
// trace.
func OpenTemporary(ctx context.Context) (*Ledger, error) {
	dir, err := durable.MakeTemporary("cse-piv-ledger-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary ledger: %w", err)
	}
	l, err := Open(ctx, filepath.Join(dir, "ledger.db"), Options{})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	l.dir = dir
	return l, nil
}

func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

func openFile(ctx context.Context, path string, options Options) (*Ledger, error) {
	path, err := filepath.Abs(strings.TrimPrefix(path, "sqlite:"))
	if err != nil {
		return nil, fmt.Errorf("find ledger: %w", err)
	}
	l := &Ledger{name: path, readOnly: options.ReadOnly}
	if options.Now == nil {
		options.Now = time.Now
	}
	l.clock.set(options.Now(), time.Now())
	if options.ReadOnly {
		if err := l.openReadOnly(ctx, path); err != nil {
			return nil, errors.Join(err, l.Close())
		}
		return l, nil
	}
	if err := durable.MakeFolder(filepath.Dir(path), 0o700); err != nil {
		return nil, l.failed("make the folder", err)
	}
	if l.lock, err = lockFile(ctx, path, options); err != nil {
		return nil, err
	}
	makeBeside(path, true)
	l.write = openSQLite(path, writerPragmas(options)...)
	l.write.SetMaxOpenConns(1)
	l.openReader(path)
	return l, nil
}

func openPostgres(ctx context.Context, url string, options Options) (*Ledger, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The error of pgx has the password taken out.
		return nil, fmt.Errorf("read the ledger's address: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns=") {
		config.MaxConns = 20
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	connection := config.ConnConfig
	l := &Ledger{
		name: fmt.Sprintf("postgres://%s:%d/%s", connection.Host, connection.Port, connection.Database),
		pool: pool, readOnly: options.ReadOnly,
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, &UnreachableError{Name: l.name, Err: err}
	}
	l.write = stdlib.OpenDBFromPool(pool)
	l.read = l.write
	err = l.setClock(ctx)
	if err == nil && options.ReadOnly {
		err = l.lookShared(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Name is where the ledger is, without secrets.
func (l *Ledger) Name() string { return l.name }

// Shared tells whether several processes may work on the ledger at once.
func (l *Ledger) Shared() bool { return l.pool != nil }

// Close waits for what is being recorded and lets go of the ledger. It may be
// called more than once.
func (l *Ledger) Close() (err error) {
	l.once.Do(func() { err = l.close() })
	return err
}

func (l *Ledger) close() error {
	var errs []error
	if l.recorder != nil {
		l.recorder.stop()
	}
	if l.read != nil {
		errs = append(errs, l.read.Close())
	}
	if l.write != nil && l.write != l.read {
		errs = append(errs, l.write.Close())
	}
	if l.pool != nil {
		l.pool.Close()
	}
	if l.lock != nil {
		errs = append(errs, l.lock.close())
	}
	if l.dir != "" {
		errs = append(errs, os.RemoveAll(l.dir))
	}
	return errors.Join(errs...)
}

// MissingError is returned where there is no ledger to look at.
type MissingError struct {
	Path string
	Err  error
}

// Error names the file.
func (e *MissingError) Error() string {
	if errors.Is(e.Err, fs.ErrNotExist) {
		return fmt.Sprintf("there is no ledger at %s", e.Path)
	}
	return fmt.Sprintf("ledger %s cannot be opened: %v", e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *MissingError) Unwrap() error { return e.Err }
