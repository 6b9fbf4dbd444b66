package enroll

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// ErrUnattested is a key of which the card cannot say that it was born on it.
var ErrUnattested = errors.New("the key was imported into the card, so nobody can prove that it exists nowhere else")

// attestStep proves that the key was generated on this card, up to a pinned
// root, and keeps the proof.
func attestStep(index int, request KeyRequest) Step {
	step := keyStep("attest", "prove that the key in slot %s was born on the card", KindChange, changesFiles, request)
	step.look = func(_ context.Context, e *Enrollment) (bool, error) { return e.keys[index].attested, nil }
	step.act = func(ctx context.Context, e *Enrollment) error {
		key := e.keys[index]
		if key.origin == string(piv.Imported) {
			if !e.request.AllowUnattested {
				return ErrUnattested
			}
			e.note("the key in slot %s was imported: there is no attestation", key.Slot)
			key.attested = true
			return nil
		}
		slotCert, deviceCert, err := e.card.Attest(ctx, key.Slot)
		if err != nil {
			return err
		}
		facts, err := attestation.Verify(attestation.Chain{Slot: slotCert, Device: deviceCert}, e.world.Trust, attestation.Expect{
			Slot: key.Slot.String(), PublicKey: key.public, Serial: e.serial,
		})
		if err != nil {
			return err
		}
		// What is kept is the path that was verified, so that it can be verified
		// again without this program's list of intermediates.
		chain := facts.Evidence()
		if err := e.folder.Write(attestationFile(key), attestation.EncodeBundle(chain)); err != nil {
			return err
		}
		for _, advisory := range facts.Advisories {
			e.note("%s: %s", advisory.ID, advisory.Message)
		}
		key.attestation, key.facts, key.attested = chain, facts, true
		return nil
	}
	return step
}

func attestationFile(key *key) string { return fmt.Sprintf("attestation-%s.pem", key.Slot) }
