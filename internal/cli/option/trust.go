package option

import (
	"io"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// Trust is the flags that say which roots vouch for attestations.
type Trust struct{ roots []string }

// Add adds the flag.
func (f *Trust) Add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.roots, "attestation-roots", nil, "`file` with attestation roots and intermediates to trust instead of Yubico's")
	FromEnvironment(flags, "attestation-roots")
}

// OpenAndSay opens the roots for a command that is no enrollment, which says so by
// itself, and says to messages which of them are not Yubico's.
func (f *Trust) OpenAndSay(messages io.Writer) (attestation.Trust, error) {
	trust, err := f.Open()
	if roots := trust.Foreign(); err == nil && len(roots) > 0 {
		stdio.Note(messages, enroll.RootsText(roots))
	}
	return trust, err
}

// Open returns the roots, Yubico's where no others were named.
func (f *Trust) Open() (attestation.Trust, error) {
	if len(f.roots) == 0 {
		return attestation.YubicoTrust(), nil
	}
	trust, err := attestation.LoadRoots(f.roots...)
	if err != nil {
		return trust, usage.Errorf("--attestation-roots: %w", err)
	}
	return trust, nil
}
