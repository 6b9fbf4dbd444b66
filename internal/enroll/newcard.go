package enroll

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// The answers to the question whether a card is new.
const (
	answerOwn    = "own"     // somebody has set its PIN
	answerTryPUK = "try-puk" // so, and the PUK is to be tried
	answerNew    = "new"     // it is as it left the factory
)

// askWhetherNew finds out whether the card is new, where its firmware does not tell and
// no earlier run did. Nobody to ask is the answer that it is not.
func (e *enrollment) askWhetherNew(ctx context.Context, protection piv.Protection) error {
	if e.secrets.askedNew || protection.PIN.Factory != piv.Unknown || e.noted(evidence.SecretPIN).State != "" {
		return nil
	}
	e.secrets.askedNew = true
	silent := fmt.Sprintf("firmware %s does not tell whether the PIN and PUK are the factory ones", e.card.Identity().Firmware)
	tries := ""
	if protection.PIN.Tries != piv.UnknownTries {
		tries = fmt.Sprintf(" (%s now)", piv.TriesLeft(protection.PIN.Tries))
	}
	if e.request.NewCard {
		e.secrets.newCard = true
		e.note("%s: the card is taken as new, as was said beforehand; if it is not, that costs one try of the PIN%s", silent, tries)
		return nil
	}
	answer, err := e.deps.Prompter.Choose(ctx, Question{
		ID:   QuestionNewCard,
		Text: fmt.Sprintf("card %d: %s. Is this card new, or has somebody set its PIN already?", e.request.Serial, silent),
	}, []Choice{
		{ID: answerOwn, Text: "somebody has set it: the PIN is asked for, and the PUK stays as it is"},
		{ID: answerTryPUK, Text: "somebody has set the PIN, but replace the PUK if it is the factory one: if it is not, that costs one of the PUK's tries, 3 as a rule, and the last one blocks it; the card does not tell how many are left"},
		{ID: answerNew, Text: "it is new: PIN and PUK are replaced; if it is not, that costs one try of the PIN" + tries + " or, where only the PIN is the factory one, of the PUK"},
	})
	var missing *MissingError
	switch {
	case errors.As(err, &missing):
		e.note("%s: the card is taken as not new, as nobody said that it is", silent)
	case err != nil:
		e.secrets.askedNew = false
		return err
	}
	e.secrets.newCard, e.secrets.tryPUK = answer == answerNew, answer == answerTryPUK
	return nil
}

// factoryPIN reports whether the card has the factory PIN, as far as anybody
// knows: what the card tells or, where it does not, what this enrollment found
// out or a person said.
func (e *enrollment) factoryPIN(protection piv.Protection) bool {
	if protection.PIN.Factory != piv.Unknown {
		return protection.PIN.Factory == piv.Yes
	}
	switch e.noted(evidence.SecretPIN).State {
	case evidence.SecretSet, evidence.SecretOwn:
		return false
	case evidence.SecretSetting:
		return true // or replaced already: trying costs nothing for good
	}
	return e.secrets.newCard
}

// factoryPUK is the same for the PUK, of which it may be that nobody knows. A blocked one is none
// that can be replaced: Yubico's minidriver for Windows blocks a factory one.
func (e *enrollment) factoryPUK(protection piv.Protection) piv.Tri {
	if protection.PUK.Tries == 0 {
		return piv.No
	}
	if protection.PUK.Factory != piv.Unknown {
		return protection.PUK.Factory
	}
	switch e.noted(evidence.SecretPUK).State {
	case evidence.SecretSet, evidence.SecretOwn:
		return piv.No
	case evidence.SecretSetting:
		return piv.Yes
	}
	// A card whose factory PIN was replaced by this enrollment was new.
	if e.factoryPIN(protection) || e.secrets.tryPUK || e.noted(evidence.SecretPIN).State == evidence.SecretSet {
		return piv.Yes
	}
	return piv.Unknown
}
