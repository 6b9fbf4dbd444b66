package enroll

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// ErrUnattested is returned for a key of which the card does not say that it was born on it.
var ErrUnattested = errors.New("the card does not attest the key: it was imported, as far as can be told, and nobody can prove that it exists nowhere else")

// attestStep proves that the key was generated on this card, up to a pinned
// root, and keeps the proof.
func attestStep(index int, request KeyRequest) Step {
	step := keyStep("attest", "prove that the key in slot %s was born on the card", KindChange, changesFiles, request)
	step.needs = func(e *enrollment) bool { return e.keys[index].public != nil }
	step.look = func(_ context.Context, e *enrollment) (bool, error) {
		key := e.keys[index]
		if key.unattested {
			e.skip("the card does not attest the key, which was allowed")
			return true, nil
		}
		return e.keptAttestation(key)
	}
	step.preview = func(ctx context.Context, e *enrollment) error { return e.attestKey(ctx, e.keys[index]) }
	step.act = func(ctx context.Context, e *enrollment) error {
		key := e.keys[index]
		if err := e.attestKey(ctx, key); err != nil {
			return err
		}
		if key.unattested {
			return nil
		}
		// What is kept is the path that was verified, so that it can be verified again
		// without this program's list of intermediates.
		if err := e.evidence.folder.Write(attestationFile(key), attestation.EncodeBundle(key.attestation)); err != nil {
			return err
		}
		if key.facts.Serial == 0 {
			e.note("firmware %s attests no serial number: that the key is on card %d is known from reading it there alone", key.facts.Firmware, e.request.Serial)
		}
		for _, advisory := range key.facts.Advisories {
			e.note("%s: %s", advisory.ID, advisory.Message)
		}
		return nil
	}
	return step
}

// attestResult is the proof that the key was generated on the card.
type attestResult struct {
	attestation attestation.Chain
	facts       *attestation.Facts // nil where nothing is proven
	unattested  bool               // nothing can be proven, which was allowed
}

// policies returns when the key asks for the PIN and for a touch: as attested or, where
// that is not known, as the card says.
func (k *key) policies() (piv.PINPolicy, piv.TouchPolicy) {
	if k.facts != nil {
		return piv.PINPolicy(k.facts.PINPolicy), piv.TouchPolicy(k.facts.TouchPolicy)
	}
	return k.pinPolicy, k.touchPolicy
}

// verifyAttestation keeps an attestation as the key's if it is of the key on this card,
// chains to a trusted root, and says what was asked for; else it returns the error.
func (e *enrollment) verifyAttestation(key *key, chain attestation.Chain) error {
	facts, err := attestation.Verify(chain, e.deps.Trust, attestation.Expect{
		Slot: key.Slot.String(), PublicKey: key.public, Serial: e.card.Identity().AttestedSerial(),
		PINPolicy: string(key.pinPolicy), TouchPolicy: string(key.touchPolicy), Origin: key.origin,
	})
	if err != nil {
		return err
	}
	if err := e.checkAttested(key, facts); err != nil {
		return err
	}
	key.attestResult = attestResult{attestation: facts.Evidence(), facts: facts}
	return nil
}

// attest asks the card for the key's attestation, where it may have one.
func (e *enrollment) attest(ctx context.Context, key *key) (slotCert, deviceCert *x509.Certificate, err error) {
	if key.origin == string(piv.Imported) || !e.card.Identity().Firmware.Attests() {
		return nil, nil, piv.ErrNotAttestable
	}
	return e.card.Attest(ctx, key.Slot)
}

// allowUnattested returns nil where the request allows a key without an attestation, or
// a person typed the card's serial number for it, and else ErrUnattested.
func (e *enrollment) allowUnattested(ctx context.Context, key *key) error {
	if err := e.agreeToUnattested(ctx, key); err != nil {
		return err
	}
	if firmware := e.card.Identity().Firmware; !firmware.Attests() && key.algorithm.RSA() {
		// It may have been generated there.
		if err := piv.Supports(firmware, key.algorithm); err != nil {
			return err
		}
	}
	key.attestResult = attestResult{unattested: true}
	e.note("the card does not attest the key in slot %s (%s): nobody can prove that it exists nowhere else", key.Slot, key.origin)
	return nil
}

// agreeToUnattested has a person agree, where the request does not.
func (e *enrollment) agreeToUnattested(ctx context.Context, key *key) error {
	if e.request.Profile.attests() {
		return ErrUnattested // nobody can say whether it is as the profile asks for
	}
	if e.request.AllowUnattested {
		return nil
	}
	err := e.deps.Prompter.TypedConfirm(ctx, Question{
		ID:   QuestionUnattested,
		Text: fmt.Sprintf("the card does not attest the key in slot %s: it was imported, as far as can be told; enroll it all the same?", key.Slot),
		Loss: []string{"the proof that the key was born on this card: a copy of it may exist elsewhere"},
	}, strconv.FormatUint(uint64(e.request.Serial), 10))
	var missing *MissingError
	switch {
	case errors.As(err, &missing):
		return ErrUnattested
	case errors.Is(err, ErrDeclined):
		return fmt.Errorf("%w: %w", ErrDeclined, ErrUnattested)
	}
	return err
}

func attestationFile(key *key) string { return fmt.Sprintf("attestation-%s.pem", key.Slot) }
