package cli

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

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// storeFlags say where the ledger is.
type storeFlags struct {
	store   string
	wait    bool          // until the ledger is free
	waitFor time.Duration // where wait is not set
}

func (f *storeFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.store, "store", "", "the ledger: a `file`, or postgres://HOST/DATABASE that many desks and workers share (default ledger.db in the data folder)")
	environmentFlag(flags, "store")
}

// addWait adds the flag of commands that change the ledger.
func (f *storeFlags) addWait(flags *pflag.FlagSet) {
	flags.BoolVar(&f.wait, "wait", false, "where another process holds the ledger, wait until it is done")
}

// open opens the ledger to work with, and creates it where there is none.
func (f *storeFlags) open(ctx context.Context, messages io.Writer) (*ledger.Ledger, error) {
	location, err := f.location()
	if err != nil {
		return nil, err
	}
	if !f.shared() {
		if warning, _ := durable.WriteWarning(filepath.Dir(strings.TrimPrefix(location, "sqlite:"))); warning != "" {
			printWarning(messages, "the ledger's folder "+warning)
		}
	}
	wait := f.waitFor
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

// look opens the ledger for reading only, also while another process works with it.
func (f *storeFlags) look(ctx context.Context) (*ledger.Ledger, error) {
	location, err := f.location()
	if err != nil {
		return nil, err
	}
	return ledger.Open(ctx, location, ledger.Options{ReadOnly: true})
}

func (f *storeFlags) location() (string, error) {
	if f.store == "" {
		return dataFolder("ledger.db")
	}
	if !f.shared() {
		if scheme, _, isURL := strings.Cut(f.store, "://"); isURL {
			return "", usageErrorf("--store: %s:// is no ledger: give a file or postgres://HOST/DATABASE", scheme)
		}
		return f.store, nil
	}
	address, err := url.Parse(f.store)
	if err != nil {
		return "", usageErrorf("--store is no address that can be read") // the error would show a password
	}
	_, hasPassword := address.User.Password()
	hasPassword = hasPassword || address.Query().Has("password") || address.Query().Has("sslpassword")
	if hasPassword && os.Getenv(environmentName("store")) != f.store {
		return "", usageErrorf("--store holds a password, which every user of this machine can read: put it into ~/.pgpass, or give the address as %s", environmentName("store"))
	}
	return f.store, nil
}

// shared tells whether the ledger is a database of many.
func (f *storeFlags) shared() bool {
	return strings.HasPrefix(f.store, "postgres://") || strings.HasPrefix(f.store, "postgresql://")
}
