package option

import (
	"context"
	"io"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// Trust is the flags that say which roots vouch for attestations.
type Trust struct{ roots []string }

// Add adds the flag.
func (f *Trust) Add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.roots, "attestation-roots", nil, "`file` with attestation roots and intermediates to trust instead of Yubico's")
	setting.Mark(flags, "attestation-roots")
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
		return YubicoTrust()
	}
	trust, err := attestation.LoadRoots(f.roots...)
	if err != nil {
		return trust, usage.Errorf("--attestation-roots: %w", err)
	}
	return trust, nil
}

// Attest has the card attest the slot's key, verifies the proof, and compares it with
// what the card says of the key otherwise.
func Attest(ctx context.Context, card *piv.Card, slot piv.Slot, trusted attestation.Trust) (*attestation.Facts, error) {
	contents, err := card.Slot(ctx, slot)
	if err != nil {
		return nil, err
	}
	slotCert, deviceCert, err := card.Attest(ctx, slot)
	if err != nil {
		return nil, err
	}
	expect := attestation.Expect{Slot: slot.String(), Serial: card.Identity().AttestedSerial()}
	if key := contents.Key; key != nil {
		expect.PublicKey, expect.Origin = key.PublicKey, string(key.Origin)
		expect.PINPolicy, expect.TouchPolicy = string(key.PINPolicy), string(key.TouchPolicy)
	}
	return attestation.Verify(attestation.Chain{Slot: slotCert, Device: deviceCert}, trusted, expect)
}
