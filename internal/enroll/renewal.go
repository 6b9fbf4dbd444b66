package enroll

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// Renewal is what gets new: the certificate alone, or the key as well.
type Renewal string

// The kinds of a renewal.
const (
	// RenewNewKey generates a new key in each slot, after the old one was moved to a retired
	// slot, where it goes on reading old mail. A key that was used for years may have been
	// broken or copied; one that is new cannot have been.
	RenewNewKey Renewal = "new-key"
	// RenewSameKey keeps the keys and gets new certificates for them.
	RenewSameKey Renewal = "same-key"
)

// renewalResult is what is renewed.
type renewalResult struct {
	of     *evidence.Renewal            // nil for an enrollment that renews nothing
	begins bool                         // in this run: what an earlier run left is of what is renewed
	leaves map[string]*x509.Certificate // that are renewed, by slot, where it begins
}

// resumeRenewal goes on with a renewal that was begun, or begins the one that is asked
// for, and reports whether the enrollment is one; then the keys of what was found are
// those to enroll.
func (e *enrollment) resumeRenewal(ctx context.Context, earlier *earlierRun) (bool, error) {
	unfinished := e.evidence.earlier != nil && !e.evidence.earlier.Finished()
	switch begun := e.evidence.journal.Renewal; {
	case unfinished && begun != nil:
		if asked := e.request.Renew; asked != "" && string(asked) != begun.Kind {
			return false, &RenewalBegunError{Email: e.request.Email, Serial: e.request.Serial, Begun: Renewal(begun.Kind)}
		}
		e.request.Renew, e.renewal.of = Renewal(begun.Kind), begun
		return true, nil
	case e.request.Renew == "":
		return false, nil
	case unfinished:
		return false, &NotEnrolledError{Email: e.request.Email, Serial: e.request.Serial, Begun: true}
	case len(earlier.keys) == 0:
		if err := e.findBegunElsewhere(ctx, earlier); err != nil {
			return false, err
		}
	}
	return true, e.beginRenewal(ctx, earlier)
}

// beginRenewal decides what becomes of each key that is enrolled, and has the keys of what
// was found be those to enroll.
func (e *enrollment) beginRenewal(ctx context.Context, earlier *earlierRun) error {
	of := &evidence.Renewal{Kind: string(e.request.Renew), Keys: map[string]evidence.OldKey{}}
	keys := e.request.fillIn(earlier.keys)
	leaves := map[string]*x509.Certificate{}
	var ends time.Time // of what is valid shortest
	for i, request := range keys {
		contents, err := e.card.Slot(ctx, request.Slot)
		if err != nil {
			return err
		}
		var old evidence.OldKey
		if moved, there := earlier.moved[request.Slot]; there {
			contents, old.MovedTo = moved, moved.Slot.String()
		} else if !e.isEnrolled(contents) {
			return &NotEnrolledError{Email: e.request.Email, Serial: e.request.Serial, Slot: &request.Slot}
		}
		leaf := e.leafOf(contents)
		old.Key = certificate.KeyFingerprint(contents.Key.PublicKey)
		if leaf != nil {
			old.Certificate, leaves[request.Slot.String()] = certificate.Fingerprint(leaf), leaf
			if ends.IsZero() || leaf.NotAfter.Before(ends) {
				ends = leaf.NotAfter
			}
		}
		of.Keys[request.Slot.String()] = old
		if e.request.Renew == RenewNewKey {
			keys[i] = e.request.newKey(request, contents)
		}
	}
	if within := e.request.RenewWithin; within > 0 && ends.After(e.deps.Now().Add(within)) {
		return &NotDueError{Email: e.request.Email, NotAfter: ends, Within: within}
	}
	if e.request.Renew == RenewNewKey {
		if err := e.findRetiredSlots(ctx, keys, of); err != nil {
			return err
		}
	}
	e.evidence.journal, e.evidence.earlier = e.evidence.journal.Next(), nil // the folder of what is renewed is history
	e.renewal = renewalResult{of: of, begins: true, leaves: leaves}
	earlier.keys = keys
	return nil
}

// isEnrolled reports whether a slot's key is the user's: Gmail has it, or the journal says
// that it was generated for them.
func (e *enrollment) isEnrolled(contents piv.SlotContents) bool {
	if contents.Key == nil {
		return false
	}
	generated := e.evidence.journal.Keys[contents.Slot.String()].Generated
	return generated == certificate.KeyFingerprint(contents.Key.PublicKey) || e.chainAtGmail(contents) != nil
}

// leafOf returns the certificate of a slot's key: the one in the slot or, where that is
// missing or another key's, the one that Gmail has; nil for none.
func (e *enrollment) leafOf(contents piv.SlotContents) *x509.Certificate {
	if contents.Key == nil {
		return nil
	}
	if contents.Certificate != nil && !contents.Mismatched() {
		return contents.Certificate
	}
	if chain := e.chainAtGmail(contents); chain != nil {
		return chain[0]
	}
	return nil
}

// renewedLeaf returns the certificate of a key that is renewed, as it was when the renewal
// began; nil where there was none, or nothing is renewed.
func (e *enrollment) renewedLeaf(key *key) (*x509.Certificate, error) {
	if leaf := e.renewal.leaves[key.Slot.String()]; leaf != nil {
		return leaf, nil
	}
	data, err := e.read(renewedFile(key.Slot.String()))
	if err != nil || data == nil {
		return nil, err
	}
	certificates, err := certificate.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", renewedFile(key.Slot.String()), err)
	}
	return certificates[0], nil
}

// writeRenewed keeps the certificates that are renewed in the folder of the renewal.
func (e *enrollment) writeRenewed(folder *evidence.Folder) error {
	for slot, leaf := range e.renewal.leaves {
		if err := folder.Write(renewedFile(slot), certificate.EncodePEM(leaf)); err != nil {
			return err
		}
	}
	return nil
}

func renewedFile(slot string) string { return fmt.Sprintf("renewed-%s.pem", slot) }

// newKey asks for a new key like the one that is there, in what nobody chose.
func (r Request) newKey(like KeyRequest, contents piv.SlotContents) KeyRequest {
	if like.Source == SourceExisting {
		there := requestOf(contents)
		if r.defaulted(OptionAlgorithm) {
			like.Algorithm = there.Algorithm
		}
		if r.defaulted(OptionPINPolicy) && there.PINPolicy != piv.PINUnknown {
			like.PINPolicy = there.PINPolicy
		}
		if r.defaulted(OptionTouchPolicy) && there.TouchPolicy != piv.TouchUnknown {
			like.TouchPolicy = there.TouchPolicy
		}
	}
	like.Source = SourceGenerate
	return like
}

// findRetiredSlots decides where the old keys move to: to the first retired slots that are
// free, where the card can move keys.
func (e *enrollment) findRetiredSlots(ctx context.Context, keys []KeyRequest, of *evidence.Renewal) error {
	if !e.card.Identity().Firmware.MovesKeys() {
		return nil
	}
	history, err := e.card.History(ctx)
	if err != nil {
		return err
	}
	free := history.Free()
	keys = slices.DeleteFunc(slices.Clone(keys), func(key KeyRequest) bool { return of.Keys[key.Slot.String()].MovedTo != "" })
	if len(free) < len(keys) {
		return &RetiredSlotsError{Serial: e.request.Serial, Free: len(free), Needed: len(keys)}
	}
	for i, key := range keys {
		old := of.Keys[key.Slot.String()]
		old.MovedTo = free[i].String()
		of.Keys[key.Slot.String()] = old
	}
	return nil
}

// renewalAction decides what is done with a slot whose key is renewed.
func (e *enrollment) renewalAction(ctx context.Context, key *key, contents piv.SlotContents) (SlotAction, error) {
	old := e.renewal.of.Keys[key.Slot.String()]
	entry, begun := e.evidence.journal.Keys[key.Slot.String()]
	now := fingerprintOf(contents)
	switch {
	case e.request.Renew == RenewSameKey && now.key == old.Key:
		return ActionRenew, nil
	case e.request.Renew == RenewSameKey:
		return "", &OtherKeyError{Slot: key.Slot, Where: "that is to be renewed"}
	case now.key == old.Key && old.MovedTo != "":
		return ActionMove, nil
	case now.key == old.Key:
		return ActionReplace, nil
	case begun && isGenerated(now, entry):
		return ActionContinue, nil
	case now.key != "":
		return "", &OccupiedError{Slot: key.Slot, Contents: describeContents(contents)}
	}
	moved, err := e.retired(ctx, old)
	if err != nil {
		return "", err
	}
	if fingerprintOf(moved).key == old.Key {
		return ActionMove, nil
	}
	e.note("the old key of slot %s is not on the card any more", key.Slot)
	return ActionGenerate, nil
}

// retired reads the slot that an old key moves to; empty where it moves to none.
func (e *enrollment) retired(ctx context.Context, old evidence.OldKey) (piv.SlotContents, error) {
	if old.MovedTo == "" {
		return piv.SlotContents{}, nil
	}
	slot, err := piv.ParseSlot(old.MovedTo)
	if err != nil {
		return piv.SlotContents{}, err
	}
	return e.card.Slot(ctx, slot)
}

// agreeToLoseKey has a person agree that the old key is lost, which the card cannot move.
func (e *enrollment) agreeToLoseKey(ctx context.Context, key *key, contents piv.SlotContents) error {
	cannot := &CannotKeepKeyError{Slot: key.Slot, Firmware: e.card.Identity().Firmware, Contents: describeContents(contents), Serial: e.request.Serial}
	key.loss = lossOf(&OccupiedError{Slot: key.Slot, Contents: cannot.Contents})
	serial := serialText(e.request.Serial)
	switch {
	case e.request.Agrees(e.request.Serial, key.loss):
		return nil
	case e.request.Confirm != "" && e.request.Confirm != serial:
		return &UsageError{&OtherCardConfirmedError{Confirmed: e.request.Confirm, Serial: e.request.Serial}}
	}
	err := e.deps.Prompter.TypedConfirm(ctx, Question{ID: QuestionOverwrite, Text: cannot.Error(), Loss: key.loss}, serial)
	var missing *MissingError
	if errors.As(err, &missing) {
		return cannot
	}
	return err
}

// sameLeaf reports whether the certificate is the one with that SHA-256.
func sameLeaf(leaf *x509.Certificate, sha256 string) bool {
	return leaf != nil && certificate.Fingerprint(leaf) == sha256
}
