package option

import (
	"context"
	"io"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/repository"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// Whether it matters that a certificate was revoked, or that nobody knows.
const (
	RevocationOff  = "off"  // nobody is asked
	RevocationSoft = "soft" // not knowing is a warning
	RevocationHard = "hard" // not knowing is an error
)

// Online is the flags that say what is asked over the network about certificates.
type Online struct {
	revocation, fallback    string
	fetch, private, offline bool
}

// Add adds the flags; revocation is what is done where nobody says it.
func (f *Online) Add(flags *pflag.FlagSet, revocation string) {
	f.fallback = revocation
	AddChoice(flags, &f.revocation, "revocation", "whether to ask the CA for revoked certificates: where it is not known soft warns, and hard refuses (default "+revocation+"): a `mode`",
		RevocationOff, RevocationSoft, RevocationHard)
	flags.BoolVar(&f.fetch, "fetch", false, "fetch missing intermediate and root certificates from the addresses that certificates name")
	flags.BoolVar(&f.private, "allow-private-addresses", false, "ask servers inside this organisation, too: at private addresses and on this machine")
	setting.Mark(flags, "revocation", "fetch", "allow-private-addresses")
}

// AddOffline adds a flag for who wants nobody asked.
func (f *Online) AddOffline(flags *pflag.FlagSet) {
	flags.BoolVar(&f.offline, "offline", false, "ask nobody over the network")
}

// Check finds what is wrong with the flags before anything is opened.
func (f *Online) Check() error {
	if f.offline && f.fetch {
		return usage.Errorf("--offline and --fetch exclude each other")
	}
	return nil
}

// Open returns what is asked, within a context. Addresses that do not answer are told once.
func (f *Online) Open(messages io.Writer) (func(context.Context) smime.Sources, error) {
	mode := f.revocation
	if mode == "" {
		mode = f.fallback
	}
	nothing := func(context.Context) smime.Sources { return smime.Sources{} }
	if err := f.Check(); err != nil || f.offline || !f.fetch && (mode == "" || mode == RevocationOff) {
		return nothing, err
	}
	folder, err := dataFolder("revocation-lists")
	if err != nil {
		return nothing, err
	}
	client := repository.New(repository.Options{
		AllowPrivate: f.private, Cache: durable.Folder(filepath.Clean(folder)),
		Failed: func(failure *repository.FetchError) {
			stdio.Warning(messages, "fetching the issuer's certificate: "+failure.Error())
		},
	})
	return func(ctx context.Context) (sources smime.Sources) {
		if f.fetch {
			sources.Fetch = client.Fetch(ctx)
		}
		if mode == RevocationSoft || mode == RevocationHard {
			sources.Revocation, sources.RevocationRequired = client.Revocation(ctx), mode == RevocationHard
		}
		return sources
	}, nil
}
