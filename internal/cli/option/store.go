package option

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Store is the flags that say where the ledger is.
type Store struct {
	Location string
	wait     bool          // until the ledger is free
	WaitFor  time.Duration // where wait is not set
}

// Add adds the flag --store.
func (f *Store) Add(flags *pflag.FlagSet) {
	flags.StringVar(&f.Location, "store", "", "the ledger: a `file`, or postgres://HOST/DATABASE that many desks and workers share (default ledger.db in the data folder)")
	setting.Mark(flags, "store")
}

// AddWait adds the flag of commands that change the ledger.
func (f *Store) AddWait(flags *pflag.FlagSet) {
	flags.BoolVar(&f.wait, "wait", false, "where another process holds the ledger, wait until it is done")
}

// Open opens the ledger to work with, and creates it where there is none.
func (f *Store) Open(ctx context.Context, messages io.Writer) (*ledger.Ledger, error) {
	location, err := f.Resolve()
	if err != nil {
		return nil, err
	}
	if !f.Shared() {
		if warning, _ := durable.WriteWarning(filepath.Dir(strings.TrimPrefix(location, "sqlite:"))); warning != "" {
			stdio.Warning(messages, "the ledger's folder "+warning)
		}
	}
	wait := f.WaitFor
	if f.wait {
		wait = ledger.WaitForEver
	}
	return ledger.Open(ctx, location, ledger.Options{Wait: wait, Warn: func(text string) {
		fmt.Fprintf(messages, "cse-piv: warning: %s\n", safetext.Clean(text))
	}, Waiting: func(holder string) {
		if holder == "" {
			holder = "another process"
		}
		fmt.Fprintf(messages, "cse-piv: waiting for the ledger %s, which is in use by %s\n", safetext.Clean(location), safetext.Clean(holder))
	}})
}

// OpenReadOnly opens the ledger for reading only, also while another process works with it.
func (f *Store) OpenReadOnly(ctx context.Context) (*ledger.Ledger, error) {
	location, err := f.Resolve()
	if err != nil {
		return nil, err
	}
	return ledger.Open(ctx, location, ledger.Options{ReadOnly: true})
}

// ledgerTimeout is how long a ledger that nobody holds may take to open: a database may
// be far away, and the first to open one makes its tables.
const ledgerTimeout = time.Minute

// Write opens the ledger, waiting that long for another process to be done with it, does something
// with it and closes it, so that many can share a file as well as a database.
func (f Store) Write(ctx context.Context, wait time.Duration, do func(*ledger.Ledger) error) (err error) {
	opening, cancel := context.WithTimeout(ctx, wait+ledgerTimeout)
	defer cancel()
	f.WaitFor = wait
	book, err := f.Open(opening, io.Discard)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	return do(book)
}

// Wait is how long a command at a card waits for a ledger that another process holds: other desks
// hold it for a moment, a batch until its end.
const Wait = 10 * time.Second

// CheckWritable opens the ledger as Write does, so that what cannot be entered afterwards is known
// before anything is changed. That another process works with it now is told, and no error: it may
// be done by then.
func (f Store) CheckWritable(ctx context.Context, messages io.Writer) error {
	err := f.Write(ctx, 0, func(*ledger.Ledger) error { return nil })
	if inUse, found := errors.AsType[*ledger.InUseError](err); found {
		stdio.Note(messages, inUse.Error()+"; what is done is entered when it is free")
		return nil
	}
	return err
}

// NoteCHUID enters which CHUID a card has, and returns the other cards that have it.
func (f Store) NoteCHUID(ctx context.Context, serial uint32, chuid string) (others []uint32, err error) {
	err = f.Write(ctx, Wait, func(book *ledger.Ledger) (err error) {
		others, err = book.NoteCHUID(ctx, serial, chuid)
		return err
	})
	return others, err
}

// Resolve returns where the ledger is, also where the flag does not say so.
func (f *Store) Resolve() (string, error) {
	if f.Location == "" {
		return dataFolder("ledger.db")
	}
	if !f.Shared() {
		if scheme, _, isURL := strings.Cut(f.Location, "://"); isURL {
			return "", usage.Errorf("--store: %s:// is no ledger: give a file or postgres://HOST/DATABASE", scheme)
		}
		return f.Location, nil
	}
	address, err := url.Parse(f.Location)
	if err != nil {
		return "", usage.Errorf("--store is no address that can be read") // the error would show a password
	}
	_, hasPassword := address.User.Password()
	hasPassword = hasPassword || address.Query().Has("password") || address.Query().Has("sslpassword")
	if hasPassword && os.Getenv(setting.EnvironmentName("store")) != f.Location {
		return "", usage.Errorf("--store holds a password, which every user of this machine can read: put it into ~/.pgpass, or give the address as %s", setting.EnvironmentName("store"))
	}
	return f.Location, nil
}

// Shared tells whether the ledger is a database of many.
func (f *Store) Shared() bool {
	return strings.HasPrefix(f.Location, "postgres://") || strings.HasPrefix(f.Location, "postgresql://")
}
