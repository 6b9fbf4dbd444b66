package cli

import (
	"io"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// trustFlags say which roots vouch for attestations.
type trustFlags struct{ roots []string }

func (f *trustFlags) add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.roots, "attestation-roots", nil, "`file` with attestation roots and intermediates to trust instead of Yubico's")
	environmentFlag(flags, "attestation-roots")
}

// openAndSay opens the roots for a command that is no enrollment, which says so by
// itself, and says to messages which of them are not Yubico's.
func (f *trustFlags) openAndSay(messages io.Writer) (attestation.Trust, error) {
	trust, err := f.open()
	if roots := trust.Foreign(); err == nil && len(roots) > 0 {
		printNote(messages, enroll.RootsText(roots))
	}
	return trust, err
}

func (f *trustFlags) open() (attestation.Trust, error) {
	if len(f.roots) == 0 {
		return attestation.YubicoTrust(), nil
	}
	trust, err := attestation.LoadRoots(f.roots...)
	if err != nil {
		return trust, usageErrorf("--attestation-roots: %w", err)
	}
	return trust, nil
}
