package enroll

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cse-piv/cse-piv/internal/piv"
)

// settleKeysStep decides, key by key and before anything is changed, whether a
// key is read, generated, or goes on from where an earlier run left it. What that
// run began is gone on with: a request for something else stops here, and so does
// what is wrong with a key or a certificate that is there already.
func settleKeysStep() Step {
	return Step{ID: "settle-keys", Title: "look at the slots", Kind: KindDecision, Changes: changesNothing,
		needs: cardRead,
		check: func(ctx context.Context, e *Enrollment) error {
			var err error
			if e.earlier, err = e.claim(ctx); err != nil {
				return err
			}
			if !e.resumed {
				if err := e.resume(ctx); err != nil {
					return err
				}
				e.resumed = true
			}
			for _, key := range e.keys {
				if err := e.settle(ctx, key); err != nil {
					return err
				}
			}
			return e.checkBeforehand(ctx)
		}}
}

// settled reports whether it is settled what is done with each key.
func settled(e *Enrollment) bool {
	return !slices.ContainsFunc(e.keys, func(k *key) bool { return !k.settled })
}

// resume makes the request one to go on with what was begun, or to take its
// place.
func (e *Enrollment) resume(ctx context.Context) error {
	begun, err := e.findBegun(ctx)
	if err != nil {
		return err
	}
	keys := e.request.goOnWith(begun.keys)
	if len(begun.keys) > 0 {
		differences := differences(begun.keys, keys)
		if e.deps.Issuer != nil && begun.issuer != "" && !e.request.defaulted(OptionIssuer) {
			differences.add(OptionIssuer, begun.issuer, e.deps.Issuer.Name())
		}
		if len(differences) > 0 && begun.binding {
			if err := e.takePlaceOf(ctx, begun, keys, differences); err != nil {
				return err
			}
		} else if len(differences) == 0 && keys[0].Source == begun.keys[0].Source {
			keys = begun.keys
		}
	}
	e.request.Keys = keys
	e.keys = newKeys(keys)
	return e.request.checkFirmware(e.identity.Firmware)
}

// takePlaceOf sees to it that what was begun may be left for what is asked: none
// of its keys is on the card any more, or those that are were named, or nothing
// is lost and a person agrees.
func (e *Enrollment) takePlaceOf(ctx context.Context, begun begun, asked []KeyRequest, differences []Difference) error {
	conflict := &ConflictError{Email: e.request.Email, Serial: e.serial, Finished: begun.finished, Differences: differences}
	for _, request := range begun.keys {
		held, err := e.card.Slot(ctx, request.Slot)
		if err != nil {
			return err
		}
		switch e.actionFor(request, held) {
		case ActionContinue, ActionKeep, ActionRead:
			if !names(e.request.Replace, held) {
				conflict.Keys = append(conflict.Keys, traceOf(held).key)
			}
		}
	}
	if len(conflict.Keys) == 0 {
		return nil
	}
	for _, request := range asked {
		held, err := e.card.Slot(ctx, request.Slot)
		if err != nil {
			return err
		}
		if !held.Empty() {
			return conflict
		}
	}
	agreed, err := e.deps.Prompter.Confirm(ctx, Question{ID: "anew", Text: conflict.Error() + ": enroll with that, and leave the other key on the card?"})
	var missing *MissingError
	switch {
	case errors.As(err, &missing):
		return conflict
	case err == nil && !agreed:
		return fmt.Errorf("%w: %w", ErrDeclined, conflict)
	}
	return err
}

// actionFor decides what to do with a slot.
func (e *Enrollment) actionFor(request KeyRequest, held piv.SlotContents) SlotAction {
	return actionFor(request, held, e.journal, e.chainAtGmail(held) != nil, names(e.request.Replace, held))
}

func (e *Enrollment) settle(ctx context.Context, key *key) error {
	if key.settled {
		return nil
	}
	held, err := e.card.Slot(ctx, key.Slot)
	if err != nil {
		return err
	}
	key.seen, key.action = traceOf(held), e.actionFor(key.KeyRequest, held)
	switch key.action {
	case ActionNone:
		return &EmptyError{Slot: key.Slot, Unknown: held.KeyUnknown}
	case ActionGenerate:
		key.generate = true
	case ActionReplace:
		err = e.settleOccupied(ctx, key, held)
	default:
		err = e.goOnWithKey(key, held)
	}
	if err != nil {
		return err
	}
	key.settled = true
	return nil
}

// goOnWithKey takes the key that is in the slot, if it is as it was asked for.
func (e *Enrollment) goOnWithKey(key *key, held piv.SlotContents) error {
	if differences := e.request.differencesFrom(held.Key, key.KeyRequest); len(differences) > 0 {
		conflict := &ConflictError{Email: e.request.Email, Serial: e.serial, Slot: &key.Slot, Differences: differences}
		if key.Source == SourceGenerate {
			conflict.Keys = []string{traceOf(held).key}
		}
		return conflict
	}
	if key.action == ActionRead {
		return key.useExisting(held)
	}
	key.adopt(held)
	if key.action != ActionKeep {
		return nil
	}
	e.note("Gmail has the key in slot %s for %s already: it is kept", key.Slot, e.request.Email)
	chain := e.chainAtGmail(held)
	if err := e.take(key, chain[0], slices.Clone(chain[1:])); err != nil {
		e.note("its certificate does not serve any more: %v", err)
	}
	return nil
}

// settleOccupied asks whether what the slot holds is to be used or lost.
func (e *Enrollment) settleOccupied(ctx context.Context, key *key, held piv.SlotContents) error {
	occupied := &OccupiedError{Slot: key.Slot, Held: describeHeld(held)}
	key.loss = lossOf(occupied)
	allowed := e.request.Overwrite || names(e.request.Replace, held)
	named := e.request.Replace != nil && e.request.Confirm == serialText(e.serial) && e.request.Agreed == nil
	if allowed && (named || e.request.Agrees(e.serial, key.loss)) {
		key.generate = true
		return nil
	}
	if !allowed || e.request.Agreed != nil { // another loss was agreed to, if any
		choices := []Choice{{ID: "stop", Text: "stop, and change nothing"}, {ID: "overwrite", Text: "generate a new key there; the present one is lost for ever"}}
		if held.Key != nil {
			choices = append([]Choice{{ID: "existing", Text: "use the key that is there"}}, choices...)
		}
		answer, err := e.deps.Prompter.Choose(ctx, Question{ID: "occupied", Text: occupied.Error(), Flag: "--source existing or --overwrite"}, choices)
		var missing *MissingError
		switch {
		case errors.As(err, &missing):
			return occupied
		case err != nil:
			return err
		case answer == "existing":
			key.Source, key.action, key.loss = SourceExisting, ActionRead, nil
			return key.useExisting(held)
		case answer != "overwrite":
			return fmt.Errorf("%w: %w", ErrDeclined, occupied)
		}
	}
	key.generate = true
	serial := serialText(e.serial)
	if e.request.Confirm != "" && e.request.Confirm != serial {
		return usageError("--confirm names card %s, and this is card %s: nothing was changed", e.request.Confirm, serial)
	}
	return e.deps.Prompter.TypedConfirm(ctx, Question{
		ID: "overwrite", Text: fmt.Sprintf("the key in slot %s of card %s will be overwritten", key.Slot, serial),
		Loss: key.loss, Flag: "--confirm " + serial,
	}, serial)
}

// useExisting takes the key that is in the slot, unless the certificate beside it
// cannot be used.
func (k *key) useExisting(held piv.SlotContents) error {
	k.adopt(held)
	return checkHeldCertificate(held)
}

// checkHeldCertificate reports what is wrong with a certificate that is on the card
// already; a slot may have none.
func checkHeldCertificate(held piv.SlotContents) error {
	switch {
	case held.CertificateErr != nil:
		return fmt.Errorf("reading the certificate in slot %s: %w", held.Slot, held.CertificateErr)
	case held.Mismatched():
		return &OtherKeyError{Slot: held.Slot, Where: inTheSlot}
	}
	return nil
}

func (k *key) adopt(held piv.SlotContents) {
	k.generate = false
	k.public, k.origin, k.algorithm = held.Key.PublicKey, string(held.Key.Origin), held.Key.Algorithm
	k.pinPolicy, k.touchPolicy = held.Key.PINPolicy, held.Key.TouchPolicy
}
