package cli

import (
	"context"
	"io"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/repository"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// Whether it matters that a certificate was revoked, or that nobody knows.
const (
	revocationOff  = "off"  // nobody is asked
	revocationSoft = "soft" // not knowing is a warning
	revocationHard = "hard" // not knowing is an error
)

// onlineFlags say what is asked over the network about certificates.
type onlineFlags struct {
	revocation, fallback    string
	fetch, private, offline bool
}

// add adds the flags; revocation is what is done where nobody says it.
func (f *onlineFlags) add(flags *pflag.FlagSet, revocation string) {
	f.fallback = revocation
	choiceFlag(flags, &f.revocation, "revocation", "whether to ask the CA for revoked certificates: where it is not known soft warns, and hard refuses (default "+revocation+"): a `mode`",
		revocationOff, revocationSoft, revocationHard)
	flags.BoolVar(&f.fetch, "fetch", false, "fetch missing intermediate and root certificates from the addresses that certificates name")
	flags.BoolVar(&f.private, "allow-private-addresses", false, "ask servers inside this organisation, too: at private addresses and on this machine")
	environmentFlag(flags, "revocation", "fetch", "allow-private-addresses")
}

// addOffline adds a flag for who wants nobody asked.
func (f *onlineFlags) addOffline(flags *pflag.FlagSet) {
	flags.BoolVar(&f.offline, "offline", false, "ask nobody over the network")
}

func (f *onlineFlags) check() error {
	if f.offline && f.fetch {
		return usageErrorf("--offline and --fetch exclude each other")
	}
	return checkChoice("revocation", f.revocation, revocationOff, revocationSoft, revocationHard)
}

// open returns what is asked. Addresses that do not answer are told once.
func (f *onlineFlags) open(ctx context.Context, messages io.Writer) (smime.Sources, error) {
	mode := f.revocation
	if mode == "" {
		mode = f.fallback
	}
	if err := f.check(); err != nil || f.offline || !f.fetch && (mode == "" || mode == revocationOff) {
		return smime.Sources{}, err
	}
	folder, err := dataFolder("revocation-lists")
	if err != nil {
		return smime.Sources{}, err
	}
	client := repository.New(repository.Options{
		AllowPrivate: f.private, Cache: durable.Folder(filepath.Clean(folder)),
		Failed: func(failure *repository.FetchError) {
			printWarning(messages, "fetching the issuer's certificate: "+failure.Error())
		},
	})
	var sources smime.Sources
	if f.fetch {
		sources.Fetch = client.Fetch(ctx)
	}
	if mode == revocationSoft || mode == revocationHard {
		sources.Revocation, sources.RevocationRequired = client.Revocation(ctx), mode == revocationHard
	}
	return sources, nil
}
