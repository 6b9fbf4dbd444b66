package option

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

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
	FromEnvironment(flags, "store")
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
	if hasPassword && os.Getenv(EnvironmentName("store")) != f.Location {
		return "", usage.Errorf("--store holds a password, which every user of this machine can read: put it into ~/.pgpass, or give the address as %s", EnvironmentName("store"))
	}
	return f.Location, nil
}

// Shared tells whether the ledger is a database of many.
func (f *Store) Shared() bool {
	return strings.HasPrefix(f.Location, "postgres://") || strings.HasPrefix(f.Location, "postgresql://")
}
