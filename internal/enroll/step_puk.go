package enroll

import (
	"context"
	"errors"

	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// PUKUnknown is what is said of a PUK of which nobody knows more; it is left as it
// is then.
const PUKUnknown = "not known whether it is the factory one"

// PUKBlocked is what is said of a card whose PUK is blocked; it is left as it is.
const PUKBlocked = "the PUK is blocked, as Yubico's minidriver for Windows does to a factory one, and stays so: a forgotten PIN can then only be had anew by a reset of the card, which loses its keys"

// pukStep replaces the factory PUK.
func pukStep() Step {
	return Step{ID: "set-puk", Title: "replace the factory PUK", Kind: KindChange, Changes: changesCard,
		needs: gathered,
		look: func(ctx context.Context, e *enrollment) (bool, error) {
			protection, err := e.card.Protection(ctx)
			if err != nil {
				return false, err
			}
			switch e.factoryPUK(protection) {
			case piv.Yes:
				return false, nil
			case piv.Unknown:
				e.skip(PUKUnknown)
				return true, nil
			}
			// While it says that it is being set, the answer to the command was lost.
			return e.noted(evidence.SecretPUK).State != evidence.SecretSetting, nil
		},
		act: func(ctx context.Context, e *enrollment) error {
			protection, err := e.card.Protection(ctx)
			if err != nil {
				return err
			}
			if e.factoryPUK(protection) == piv.No {
				return e.secretIsSet(evidence.SecretPUK, e.noted(evidence.SecretPUK).Record)
			}
			return e.replaceFactoryPUK(ctx, protection)
		}}
}

// replaceFactoryPUK changes the factory PUK to the new one. Where the card does not
// tell that it has the factory one, it may be refused, once: that is written down.
func (e *enrollment) replaceFactoryPUK(ctx context.Context, protection piv.Protection) error {
	before := e.noted(evidence.SecretPUK)
	if err := e.noteSecret(evidence.SecretPUK, evidence.SecretSetting, e.sealedRecord()); err != nil {
		return err
	}
	card := e.card.Card
	if protection.PUK.Factory == piv.Yes {
		// The card itself says so: no try is at risk.
		card = card.AllowLastTry()
	}
	err := card.ChangePUK(ctx, piv.FactoryPUK(), e.secrets.puk)
	if err == nil {
		return e.secretIsSet(evidence.SecretPUK, e.sealedRecord())
	}
	if protection.PUK.Factory != piv.Unknown || !isWrong(err) {
		return err
	}
	if before.State != evidence.SecretSetting {
		e.note("the PUK is not the factory one, which cost one of its tries (%v); it stays as it is", err)
		e.secrets.keepPUK()
		return e.noteSecret(evidence.SecretPUK, evidence.SecretOwn, "")
	}
	// It was replaced, and only the answer was lost. Where it is at hand, giving it
	// once more gives the card its tries back.
	if before.Record != e.sealedRecord() {
		e.note("the PUK was replaced by an earlier run, and finding that out cost one of its tries; it is %s", escrow.Kept(before.Record))
		e.secrets.keepPUK()
	} else if err := card.ChangePUK(ctx, e.secrets.puk, e.secrets.puk); err != nil {
		return err
	}
	return e.secretIsSet(evidence.SecretPUK, before.Record)
}

// isWrong reports whether the card refused a PIN or PUK.
func isWrong(err error) bool {
	var wrong *piv.WrongPINError
	return errors.As(err, &wrong) || errors.Is(err, piv.ErrPUKBlocked)
}
