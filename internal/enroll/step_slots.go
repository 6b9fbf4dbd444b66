package enroll

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"

	"github.com/cse-piv/cse-piv/internal/piv"
)

// slotsStep decides, key by key and before anything is changed, whether a
// key is read or generated, or is one that an earlier run generated. What that run
// began is continued: a request for something else stops here, and so does
// what is wrong with a key or a certificate that is there already.
func slotsStep() Step {
	return Step{ID: "settle-keys", Title: "look at the slots", Kind: KindDecision, Changes: changesNothing,
		needs: cardRead,
		check: func(ctx context.Context, e *enrollment) error {
			var err error
			if e.evidence.earlier, err = e.evidence.find(ctx); err != nil {
				return err
			}
			if e.renewal.begins {
				e.evidence.earlier = nil // of what is renewed
			}
			if !e.resumed {
				if err := e.resume(ctx); err != nil {
					return err
				}
				e.resumed = true
			}
			for _, key := range e.keys {
				if err := e.decide(ctx, key); err != nil {
					return err
				}
			}
			return e.checkBeforeChange(ctx)
		}}
}

// slotResult is what is done with the slot of a key.
type slotResult struct {
	action  SlotAction
	before  slotFingerprint // what the slot held when the action was chosen
	loss    []string        // what is lost for ever by it, a sentence each
	decided bool            // nothing stands against the action
}

// decided reports whether it is decided what is done with each slot.
func decided(e *enrollment) bool {
	return !slices.ContainsFunc(e.keys, func(k *key) bool { return !k.decided })
}

// toGenerate reports whether a key is still to be generated in the slot.
func (k *key) toGenerate() bool {
	return (k.action == ActionGenerate || k.action == ActionReplace || k.action == ActionMove) && k.public == nil
}

// isUsers reports whether the slot held a key of the user's that was generated on
// the card.
func (k *key) isUsers() bool {
	return k.action == ActionContinue || k.action == ActionKeep || k.action == ActionRenew
}

// resume makes the request one to go on with what was begun, or to take its
// place.
func (e *enrollment) resume(ctx context.Context) error {
	earlier, err := e.findEarlierRun(ctx)
	if err != nil {
		return err
	}
	renews, err := e.resumeRenewal(ctx, &earlier)
	if err != nil {
		return err
	}
	keys := e.request.fillIn(earlier.keys)
	if renews {
		keys = earlier.keys
	} else if len(earlier.keys) > 0 {
		differences := differences(earlier.keys, keys)
		if e.deps.Issuer != nil && earlier.issuer != "" && !e.request.defaulted(OptionIssuer) {
			differences.add(OptionIssuer, earlier.issuer, e.deps.Issuer.Name())
		}
		if len(differences) > 0 && earlier.started {
			if err := e.agreeToReplace(ctx, earlier, keys, differences); err != nil {
				return err
			}
		} else if len(differences) == 0 && keys[0].Source == earlier.keys[0].Source {
			keys = earlier.keys
		}
	}
	e.request.Keys = keys
	e.keys = newKeys(keys)
	return errors.Join(e.request.checkModel(e.card.Identity()), e.request.checkProfile())
}

// agreeToReplace returns nil where what was begun may be left for what is asked: none
// of its keys is on the card any more, or those that are were named, or nothing is
// lost and a person agrees.
func (e *enrollment) agreeToReplace(ctx context.Context, earlier earlierRun, asked []KeyRequest, differences []Difference) error {
	conflict := &ConflictError{Email: e.request.Email, Serial: e.request.Serial, Finished: earlier.finished, Differences: differences}
	for _, request := range earlier.keys {
		contents, err := e.card.Slot(ctx, request.Slot)
		if err != nil {
			return err
		}
		switch e.actionFor(request, contents) {
		case ActionContinue, ActionKeep, ActionRead:
			if !names(e.request.Replace, contents) {
				conflict.Keys = append(conflict.Keys, fingerprintOf(contents).key)
			}
		}
	}
	if len(conflict.Keys) == 0 {
		return nil
	}
	for _, request := range asked {
		contents, err := e.card.Slot(ctx, request.Slot)
		if err != nil {
			return err
		}
		if !contents.Empty() {
			return conflict
		}
	}
	return e.confirm(ctx, Question{ID: QuestionOtherKey, Text: conflict.Error() + ": enroll with that, and leave the other key on the card?"}, conflict)
}

// tellNotReplaced says of a key that Gmail has for the user already, and that is kept although
// the request allows that what is in the slot is replaced, what would replace it. Whoever chose
// the key that is there is told nothing.
func (e *enrollment) tellNotReplaced(key *key) {
	if !e.request.Overwrite || e.request.Agreed != nil || key.action != ActionKeep {
		return
	}
	e.note("the key in slot %s is used as it is, and not replaced: for that it has to be named by its fingerprint, %s", key.Slot, key.before.key)
}

// actionFor decides what to do with a slot.
func (e *enrollment) actionFor(request KeyRequest, contents piv.SlotContents) SlotAction {
	return actionFor(request, contents, e.evidence.journal, e.chainAtGmail(contents) != nil, names(e.request.Replace, contents))
}

// decide chooses what is done with the slot of a key, and asks where that loses
// something.
func (e *enrollment) decide(ctx context.Context, key *key) error {
	if key.decided {
		return nil
	}
	contents, err := e.card.Slot(ctx, key.Slot)
	if err != nil {
		return err
	}
	key.before, key.action = fingerprintOf(contents), e.actionFor(key.KeyRequest, contents)
	if e.renewal.of != nil {
		if key.action, err = e.renewalAction(ctx, key, contents); err != nil {
			return err
		}
	}
	switch key.action {
	case ActionNone:
		return &EmptyError{Slot: key.Slot, Unknown: contents.KeyUnknown}
	case ActionGenerate:
	case ActionMove:
		if key.before.key = ""; sameLeaf(contents.Certificate, e.oldKey(key).Certificate) { // by then
			key.before.certificate = ""
		}
	case ActionRenew:
		key.recordKey(contents)
	case ActionReplace:
		if e.renewal.of != nil {
			err = e.agreeToLoseKey(ctx, key, contents)
		} else {
			err = e.decideOccupied(ctx, key, contents)
		}
	default:
		e.tellNotReplaced(key)
		err = e.useKey(ctx, key, contents)
	}
	if err != nil {
		return err
	}
	key.decided = true
	return nil
}

// useKey records the key that is in the slot. One that is not as it was asked for is a
// *ConflictError.
func (e *enrollment) useKey(ctx context.Context, key *key, contents piv.SlotContents) error {
	if differences := e.request.differencesFrom(contents.Key, key.KeyRequest); len(differences) > 0 {
		conflict := &ConflictError{Email: e.request.Email, Serial: e.request.Serial, Slot: &key.Slot, Differences: differences}
		if key.Source == SourceGenerate {
			conflict.Keys = []string{fingerprintOf(contents).key}
		}
		return conflict
	}
	if key.action == ActionRead {
		return key.useExisting(contents)
	}
	key.recordKey(contents)
	if key.action != ActionKeep {
		return nil
	}
	e.note("Gmail has the key in slot %s for %s already: it is kept", key.Slot, e.request.Email)
	chain := e.chainAtGmail(contents)
	if err := e.useCertificate(ctx, key, chain[0], slices.Clone(chain[1:])); err != nil {
		e.note("its certificate cannot be used any more: %v", err)
	}
	return nil
}

// decideOccupied asks whether what the slot holds is to be used or lost.
func (e *enrollment) decideOccupied(ctx context.Context, key *key, contents piv.SlotContents) error {
	occupied := &OccupiedError{Slot: key.Slot, Contents: describeContents(contents), Email: e.request.Email, UsedFor: e.usedFor(ctx, contents.Certificate)}
	key.loss = lossOf(occupied)
	allowed := e.request.Overwrite || names(e.request.Replace, contents)
	named := e.request.Replace != nil && e.request.Confirm == serialText(e.request.Serial) && e.request.Agreed == nil
	if allowed && (named || e.request.Agrees(e.request.Serial, key.loss)) {
		return nil
	}
	if !allowed || e.request.Agreed != nil { // another loss was agreed to, if any
		choices := []Choice{{ID: "stop", Text: "stop, and change nothing"}, {ID: "overwrite", Text: "generate a new key there; the present one is lost for ever"}}
		if contents.Key != nil {
			choices = append([]Choice{{ID: "existing", Text: "use the key that is there"}}, choices...)
		}
		answer, err := e.deps.Prompter.Choose(ctx, Question{ID: QuestionOccupied, Text: occupied.Error()}, choices)
		var missing *MissingError
		switch {
		case errors.As(err, &missing):
			return occupied
		case err != nil:
			return err
		case answer == "existing":
			key.Source, key.action, key.loss = SourceExisting, ActionRead, nil
			return key.useExisting(contents)
		case answer != "overwrite":
			return fmt.Errorf("%w: %w", ErrDeclined, occupied)
		}
	}
	serial := serialText(e.request.Serial)
	if e.request.Confirm != "" && e.request.Confirm != serial {
		return &UsageError{&OtherCardConfirmedError{Confirmed: e.request.Confirm, Serial: e.request.Serial}}
	}
	return e.deps.Prompter.TypedConfirm(ctx, Question{
		ID: QuestionOverwrite, Text: fmt.Sprintf("this replaces the key in slot %s of card %s for ever", key.Slot, serial),
		Loss: key.loss,
	}, serial)
}

// useExisting records the key that is in the slot, and returns what is wrong with the
// certificate beside it.
func (k *key) useExisting(contents piv.SlotContents) error {
	k.recordKey(contents)
	return checkCertificateInSlot(contents)
}

// checkCertificateInSlot reports what is wrong with a certificate that is on the card
// already; a slot may have none.
func checkCertificateInSlot(contents piv.SlotContents) error {
	switch {
	case contents.CertificateErr != nil:
		return fmt.Errorf("reading the certificate in slot %s: %w", contents.Slot, contents.CertificateErr)
	case contents.Mismatched():
		return &OtherKeyError{Slot: contents.Slot, Where: InTheSlot}
	}
	return nil
}

// keyResult is the key that is enrolled; nil before it is known.
type keyResult struct {
	public      crypto.PublicKey
	origin      string
	algorithm   piv.Algorithm
	pinPolicy   piv.PINPolicy   // as the card says
	touchPolicy piv.TouchPolicy // as the card says
}

// recordKey makes the key that is in the slot the one that is enrolled.
func (k *key) recordKey(contents piv.SlotContents) {
	k.public, k.origin, k.algorithm = contents.Key.PublicKey, string(contents.Key.Origin), contents.Key.Algorithm
	k.pinPolicy, k.touchPolicy = contents.Key.PINPolicy, contents.Key.TouchPolicy
}
