package enroll

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// checkBeforeChange checks the keys and certificates that are there already, as later
// steps do, and whether the registration can be entered in the end: what is wrong is
// known before the card is changed.
func (e *enrollment) checkBeforeChange(ctx context.Context) error {
	err := checkAhead(ctx, e.deps.Ledger)
	if inUse := (*ledger.InUseError)(nil); errors.As(err, &inUse) {
		e.note("%v; the registration is entered at the end, when it is free", inUse)
		err = nil
	}
	if err != nil {
		return err
	}
	for _, key := range e.keys {
		if key.toGenerate() || key.public == nil {
			continue
		}
		if err := e.checkKeyAndCertificate(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// checkAhead asks what takes something in at the end whether it could, where it
// can tell.
func checkAhead(ctx context.Context, of any) error {
	if can, ok := of.(interface{ Check(context.Context) error }); ok {
		return can.Check(ctx)
	}
	return nil
}

// checkKeyAndCertificate checks a key that is on the card, and its certificate where there is
// one.
func (e *enrollment) checkKeyAndCertificate(ctx context.Context, key *key) error {
	if kept, err := e.keptAttestation(key); err != nil {
		return err
	} else if !kept {
		if err := e.attestKey(ctx, key); err != nil {
			return err
		}
	}
	if err := e.findCertificate(ctx, key); err != nil || key.leaf == nil {
		return err
	}
	if key.chain == nil {
		err := e.useCertificate(ctx, key, key.leaf, key.parts)
		if other := (*OtherAddressError)(nil); errors.As(err, &other) {
			other.UsedFor = e.usedFor(ctx, key.leaf)
		}
		if err != nil {
			return err
		}
	}
	if certificate.Fingerprint(key.leaf) == key.before.certificate {
		return nil // it is on the card
	}
	_, err := piv.PackingOf(e.card.Identity().Firmware, key.leaf)
	return err
}

// keptAttestation reports whether the folder has an attestation of the key that
// proves what is asked for.
func (e *enrollment) keptAttestation(key *key) (bool, error) {
	data, err := e.read(attestationFile(key))
	if err != nil || data == nil {
		return false, err
	}
	kept, err := attestation.ParseBundle(data)
	// One of another key, or that cannot be used, counts as none: the card is asked.
	return err == nil && e.verifyAttestation(key, kept) == nil, nil
}

// attestKey has the card attest the key, once in a run, and verifies what it says.
func (e *enrollment) attestKey(ctx context.Context, key *key) error {
	if key.facts != nil || key.unattested {
		return nil
	}
	slotCert, deviceCert, err := e.attest(ctx, key)
	if errors.Is(err, piv.ErrNotAttestable) && key.origin != string(piv.Generated) {
		if key.action != ActionRead && key.action != ActionKeep && key.action != ActionRenew {
			return fmt.Errorf("%w: the card was told to generate the key in slot %s, and says that it did not", attestation.ErrRefused, key.Slot)
		}
		return e.allowUnattested(ctx, key)
	}
	if err != nil {
		return err
	}
	return e.verifyAttestation(key, attestation.Chain{Slot: slotCert, Device: deviceCert})
}
