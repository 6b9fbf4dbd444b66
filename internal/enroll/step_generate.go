package enroll

import (
	"context"
	"errors"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// generateStep generates the key to be enrolled, or reads the one that is there. What the
// slot held is written down first, and then which key was generated: that is how
// the next run knows its own key.
func generateStep(index int, request KeyRequest) Step {
	title, changes := "generate the key in slot %s ("+string(request.Algorithm)+")", changesCard
	if request.Source == SourceExisting {
		title, changes = "read the key in slot %s", changesNothing
	}
	step := keyStep("generate", title, KindChange, changes, request)
	step.needs = decided
	step.look = func(ctx context.Context, e *enrollment) (bool, error) {
		key := e.keys[index]
		contents, err := e.card.Slot(ctx, key.Slot)
		if err != nil {
			return false, err
		}
		if key.toGenerate() {
			now, entry := fingerprintOf(contents), e.evidence.journal.Keys[key.Slot.String()]
			if now == key.before || entry.Generated == "" || !isGenerated(now, entry) {
				return false, nil
			}
			key.recordKey(contents)
			return true, nil
		}
		if contents.Key == nil || !certificate.SameKey(contents.Key.PublicKey, key.public) {
			return false, errors.New("the slot's key is not the one that was there a moment ago: another card or another program")
		}
		return true, nil
	}
	step.act = func(ctx context.Context, e *enrollment) error {
		key := e.keys[index]
		contents, err := e.card.Slot(ctx, key.Slot)
		if err != nil {
			return err
		}
		now := fingerprintOf(contents)
		entry, begun := e.evidence.journal.Keys[key.Slot.String()]
		switch {
		case now == key.before:
		case begun && isGenerated(now, entry): // the card's answer was lost
			entry.Generated = now.key
			return e.noteKey(key, entry)
		default:
			// It came while the PIN was typed or the card was out; nobody agreed to
			// lose it.
			return &OccupiedError{Slot: key.Slot, Contents: describeContents(contents)}
		}
		entry = evidence.KeyJournal{
			Generating: e.deps.Now().UTC(), Replaces: key.before.key, ReplacedCertificate: key.before.certificate,
		}
		if err := errors.Join(e.noteManagementKey(), e.noteKey(key, entry)); err != nil {
			return err
		}
		public, err := e.card.Generate(ctx, e.secrets.managementKey, key.Slot, piv.GenerateOptions{
			Algorithm: key.Algorithm, PINPolicy: key.PINPolicy, TouchPolicy: key.TouchPolicy,
		})
		if err != nil {
			return err
		}
		entry.Generated = certificate.KeyFingerprint(public)
		return e.noteKey(key, entry)
	}
	return step
}
