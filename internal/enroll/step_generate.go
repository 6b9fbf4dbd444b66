package enroll

import (
	"context"
	"errors"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// generateStep sees to it that the slot holds the key to be enrolled. What the
// slot held is written down first: that is how the next run knows its own key.
func generateStep(index int, request KeyRequest) Step {
	title, changes := "generate the key in slot %s ("+string(request.Algorithm)+")", changesCard
	if request.Source == SourceExisting {
		title, changes = "read the key in slot %s", changesNothing
	}
	step := keyStep("generate", title, changes, request)
	step.look = func(ctx context.Context, e *Enrollment) (bool, error) {
		key := e.keys[index]
		held, err := e.card.Slot(ctx, key.Slot)
		if err != nil {
			return false, err
		}
		if key.generate {
			if fateOf(key.KeyRequest, held, e.journal) != FateContinue {
				return false, nil
			}
			key.adopt(held)
			return true, nil
		}
		if held.Key == nil || !sameKey(held.Key.PublicKey, key.public) {
			return false, errors.New("the slot's key is not the one that was there a moment ago: another card or another program")
		}
		return true, nil
	}
	step.act = func(ctx context.Context, e *Enrollment) error {
		key := e.keys[index]
		held, err := e.card.Slot(ctx, key.Slot)
		if err != nil {
			return err
		}
		entry := evidence.KeyJournal{Generating: e.world.Now().UTC()}
		if held.Key != nil {
			entry.Replaces = keyHash(held.Key.PublicKey)
		}
		if held.Certificate != nil {
			entry.ReplacedCertificate = smime.Fingerprint(held.Certificate)
		}
		e.journal.Keys[key.Slot.String()] = entry
		if err := e.folder.WriteJournal(e.journal); err != nil {
			return err
		}
		_, err = e.card.Generate(ctx, e.secrets.managementKey, key.Slot, piv.GenerateOptions{
			Algorithm: key.Algorithm, PINPolicy: key.PINPolicy, TouchPolicy: key.TouchPolicy,
		})
		return err
	}
	return step
}
