package enroll

import (
	"context"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// keepKeyStep moves the old key of a slot that gets a new one to a retired slot, where it
// goes on reading old mail. Its certificate is copied there first, then the key moves, then the
// certificate goes from where it was, and the Key History object is written last, so that the card may
// be pulled between any two commands: the key is always in one of the two slots, with its certificate,
// and the next run goes on. While the new key waits for its certificate, no program takes it for the
// old one.
func keepKeyStep(index int, request KeyRequest) Step {
	step := keyStep("keep-old-key", "move the old key of slot %s to a retired slot", KindChange, changesCard, request)
	step.needs = decided
	step.look = func(ctx context.Context, e *enrollment) (bool, error) {
		key := e.keys[index]
		switch key.action {
		case ActionMove:
			return e.isKept(ctx, key)
		case ActionReplace:
			e.skip(fmt.Sprintf("firmware %s cannot move it: the new key takes its place, and until its certificate has come the card can neither sign nor read", e.card.Identity().Firmware))
		}
		return true, nil
	}
	step.preview = func(_ context.Context, e *enrollment) error {
		key := e.keys[index]
		old := e.oldKey(key)
		e.note("it moves to slot %s with its certificate, and old mail stays readable; %s", old.MovedTo, untilRenewed(key.Slot, old.MovedTo))
		return nil
	}
	step.act = func(ctx context.Context, e *enrollment) error {
		key := e.keys[index]
		if err := e.noteManagementKey(); err != nil {
			return err
		}
		return e.keepKey(ctx, key)
	}
	return step
}

// oldKey is what the journal says of the key that is renewed in the slot.
func (e *enrollment) oldKey(key *key) evidence.OldKey { return e.renewal.of.Keys[key.Slot.String()] }

// isKept reports whether the old key and its certificate are in the retired slot, and the
// Key History object says so.
func (e *enrollment) isKept(ctx context.Context, key *key) (bool, error) {
	old := e.oldKey(key)
	from, err := e.card.Slot(ctx, key.Slot)
	if err != nil {
		return false, err
	}
	to, err := e.retired(ctx, old)
	if err != nil || fingerprintOf(from).key == old.Key || sameLeaf(from.Certificate, old.Certificate) || fingerprintOf(to).key != old.Key || !sameLeaf(to.Certificate, old.Certificate) && old.Certificate != "" {
		return false, err
	}
	history, err := e.card.History(ctx)
	return err == nil && history.Problem() == nil, err
}

// keepKey does what is still missing of it.
func (e *enrollment) keepKey(ctx context.Context, key *key) error {
	old := e.oldKey(key)
	to, err := e.retired(ctx, old)
	if err != nil {
		return err
	}
	if occupied := to.Key != nil && fingerprintOf(to).key != old.Key || to.CertificateErr != nil ||
		to.Certificate != nil && !sameLeaf(to.Certificate, old.Certificate); occupied {
		// It came since the slot was chosen.
		return &OccupiedError{Slot: to.Slot, Contents: describeContents(to)}
	}
	if to.Empty() {
		if err := e.tellHistory(ctx); err != nil {
			return err
		}
	}
	if old.Certificate != "" && to.Certificate == nil {
		leaf, err := e.renewedLeaf(key)
		if err != nil {
			return err
		}
		if leaf == nil {
			return fmt.Errorf("the certificate of the old key of slot %s is not in %s any more", key.Slot, e.evidence.folder.Path())
		}
		if err := e.card.PutCertificate(ctx, e.secrets.managementKey, to.Slot, leaf); err != nil {
			return err
		}
	}
	if to.Key == nil {
		if err := e.card.MoveKey(ctx, e.secrets.managementKey, key.Slot, to.Slot); err != nil {
			return err
		}
	}
	from, err := e.card.Slot(ctx, key.Slot)
	if err != nil {
		return err
	}
	if from.Key == nil && sameLeaf(from.Certificate, old.Certificate) {
		if err := e.card.DeleteCertificate(ctx, e.secrets.managementKey, key.Slot); err != nil {
			return err
		}
	}
	if err := e.card.WriteKeyHistory(ctx, e.secrets.managementKey); err != nil {
		return err
	}
	e.note("the old key of slot %s is in slot %s now, and old mail stays readable with it", key.Slot, to.Slot)
	return nil
}

// untilRenewed says how a card stands while the certificate of its new key has not come.
func untilRenewed(slot piv.Slot, retired string) string {
	return fmt.Sprintf("until the new certificate has come, Gmail still uses the old one, whose key is in slot %s then: programs that look into slot %s alone can neither sign nor read with it", retired, slot)
}

// tellHistory says of a Key History object that was wrong before that it is put right.
func (e *enrollment) tellHistory(ctx context.Context) error {
	history, err := e.card.History(ctx)
	if err != nil {
		return err
	}
	if problem := history.Problem(); problem != nil {
		e.note("%v: it is put right", problem)
	}
	return nil
}
