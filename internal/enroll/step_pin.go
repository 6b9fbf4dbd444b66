package enroll

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// pinStep gives a new card the user's PIN, and on another card has the card check it.
func pinStep() Step {
	return Step{ID: "set-pin", Title: "set or check the PIN", Kind: KindChange, Changes: changesCard,
		needs: gathered,
		check: func(ctx context.Context, e *enrollment) error {
			protection, err := e.card.Protection(ctx)
			if err != nil || e.factoryPIN(protection) {
				return err
			}
			if err := e.verifyPIN(ctx, protection); err != nil {
				return err
			}
			return e.usePIN(ctx)
		},
		look: func(ctx context.Context, e *enrollment) (bool, error) {
			protection, err := e.card.Protection(ctx)
			known := protection.PIN.Factory != piv.Unknown || e.noted(evidence.SecretPIN).State != ""
			return known && !e.factoryPIN(protection), err
		},
		act: func(ctx context.Context, e *enrollment) error {
			protection, err := e.card.Protection(ctx)
			if err != nil {
				return err
			}
			if !e.factoryPIN(protection) {
				// The card does not tell, and took the user's.
				return e.noteSecret(evidence.SecretPIN, evidence.SecretOwn, "")
			}
			return e.replaceFactoryPIN(ctx, protection)
		}}
}

// replaceFactoryPIN changes the factory PIN to the user's. Where only a person or
// the journal says that the card has the factory PIN, it may be refused: that is
// written down, so that it is not tried again.
func (e *enrollment) replaceFactoryPIN(ctx context.Context, protection piv.Protection) error {
	card := e.card.Card
	if protection.PIN.Factory == piv.Yes {
		// The card itself says so: no try is at risk.
		card = card.AllowLastTry()
	}
	before := e.noted(evidence.SecretPIN).State
	if err := e.noteSecret(evidence.SecretPIN, evidence.SecretSetting, ""); err != nil {
		return err
	}
	for {
		err := card.ChangePIN(ctx, piv.FactoryPIN(), e.secrets.pin)
		var last *piv.LastTryError
		var wrong *piv.WrongPINError
		switch {
		case err == nil:
			return e.noteSecret(evidence.SecretPIN, evidence.SecretSet, "")
		case errors.As(err, &last):
			if err := e.riskLastTry(ctx, last); err != nil {
				return err
			}
			card = e.card.Card
		case !errors.As(err, &wrong) || protection.PIN.Factory != piv.Unknown:
			return err
		case before == evidence.SecretSetting:
			// It was replaced, and only the answer was lost: the user's is checked next.
			return e.noteSecret(evidence.SecretPIN, evidence.SecretSet, "")
		default:
			return e.notNew(ctx, wrong)
		}
	}
}

// NotNewError is returned for a card that was taken for new and is not.
type NotNewError struct {
	Serial uint32
	Err    *piv.WrongPINError
}

// Error says how it was found out, and what it cost.
func (e *NotNewError) Error() string {
	return fmt.Sprintf("card %d is not new: its PIN is not the factory one, which cost a try (%s)", e.Serial, piv.TriesLeft(e.Err.Tries))
}

// Unwrap returns the card's answer.
func (e *NotNewError) Unwrap() error { return e.Err }

// notNew continues with a card that proved not to be new: its own PIN is asked for,
// unless a flag named the new one.
func (e *enrollment) notNew(ctx context.Context, wrong *piv.WrongPINError) error {
	if err := e.noteSecret(evidence.SecretPIN, evidence.SecretOwn, ""); err != nil {
		return err
	}
	found := &NotNewError{Serial: e.request.Serial, Err: wrong}
	if !e.request.PIN.IsZero() {
		return found
	}
	e.note("%v", found)
	e.secrets.forgetNew()
	protection, err := e.card.Protection(ctx)
	if err != nil {
		return err
	}
	return e.askPIN(ctx, protection, found.Error())
}

// pinRule is what a card takes as a PIN (SP 800-73-4 part 2 section 2.4.3).
const pinRule = "6 to 8 letters, digits or signs"

// askPIN gets the PIN from the request or from a person, who is told of a problem with
// the one before.
func (e *enrollment) askPIN(ctx context.Context, protection piv.Protection, problem string) error {
	if !e.secrets.pin.IsZero() {
		return nil
	}
	if e.secrets.pin = e.request.PIN; !e.secrets.pin.IsZero() {
		if e.factoryPIN(protection) {
			return e.request.CheckNewPIN(e.secrets.pin)
		}
		return nil
	}
	question := SecretQuestion{
		Question: Question{ID: QuestionPIN, Text: fmt.Sprintf("the PIN of card %d", e.request.Serial)},
		Rule:     pinRule, Tries: protection.PIN.Tries, Problem: problem,
		Check: checkOwnPIN,
	}
	if e.factoryPIN(protection) {
		question.Text, question.New, question.Check = fmt.Sprintf("a new PIN for card %d", e.request.Serial), true, e.request.newPINProblem
	}
	pin, err := e.deps.Prompter.Secret(ctx, question)
	if err != nil {
		return err
	}
	e.secrets.pin = pin
	return nil
}

// NewPINError is returned for a PIN that a card with the factory PIN is not given.
type NewPINError struct{ Err error }

// Error says what is wrong with the PIN.
func (e *NewPINError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *NewPINError) Unwrap() error { return e.Err }

// CheckNewPIN reports, as a *UsageError with a *NewPINError, what keeps a PIN of the
// request from taking the place of the factory one.
func (r Request) CheckNewPIN(pin secret.Secret) error {
	if err := r.newPINProblem(pin); err != nil {
		return &UsageError{Err: &NewPINError{err}}
	}
	return nil
}

// newPINProblem reports what keeps a value from being a new PIN.
func (r Request) newPINProblem(pin secret.Secret) error {
	return piv.CheckNewPINOf(pin, r.MinPINLength)
}

// verifyPIN checks the user's PIN, and lets a person who typed it try again
// while tries are left.
func (e *enrollment) verifyPIN(ctx context.Context, protection piv.Protection) error {
	for {
		err := e.card.VerifyPIN(ctx, e.secrets.pin)
		var last *piv.LastTryError
		if errors.As(err, &last) {
			if err := e.riskLastTry(ctx, last); err != nil {
				return err
			}
			continue
		}
		var wrong *piv.WrongPINError
		if !errors.As(err, &wrong) {
			return err
		}
		if !e.request.PIN.IsZero() {
			if protection.PIN.Factory == piv.Unknown && e.noted(evidence.SecretPIN).State == "" {
				return &PerhapsNewError{wrong}
			}
			return err
		}
		problem := "that was not the PIN: " + piv.TriesLeft(wrong.Tries)
		e.note("%s", problem)
		e.secrets.pin = secret.Secret{}
		if protection, err = e.card.Protection(ctx); err != nil {
			return err
		}
		if err := e.askPIN(ctx, protection, problem); err != nil {
			return err
		}
	}
}

// PerhapsNewError is returned for a wrong PIN on a card that may have the factory one.
type PerhapsNewError struct{ *piv.WrongPINError }

// Unwrap returns the card's answer.
func (e *PerhapsNewError) Unwrap() error { return e.WrongPINError }

// riskLastTry asks before a try is used that would block the PIN if it is wrong.
func (e *enrollment) riskLastTry(ctx context.Context, last *piv.LastTryError) error {
	agreed, err := e.deps.Prompter.Confirm(ctx, Question{
		ID: QuestionLastTry, Text: fmt.Sprintf("one try of card %d's PIN is left: a wrong PIN blocks the card; try it?", e.request.Serial),
	})
	var missing *MissingError
	if errors.As(err, &missing) || (err == nil && !agreed) {
		return last
	}
	if err != nil {
		return err
	}
	e.card.allowLastTry()
	return nil
}
