package enroll

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv"
)

// readCardStep finds the card, and stops where it cannot do what is asked.
func readCardStep() Step {
	return Step{ID: "read-card", Title: "read the card", Kind: KindCheck, Changes: changesNothing,
		check: func(ctx context.Context, e *enrollment) error {
			opened, err := e.deps.OpenCard(ctx, e.request.Serial, func(slot piv.Slot) {
				e.card.waitsForTouch = true
				e.notify(StateTouch, fmt.Sprintf("the key in slot %s waits for a touch", slot))
			})
			if err != nil {
				return err
			}
			identity := opened.Identity()
			if err := errors.Join(e.request.checkModel(identity), e.request.Profile.checkFirmware(identity)); err != nil {
				return fmt.Errorf("card %d: %w", identity.Serial, err)
			}
			e.card, e.request.Serial = cardResult{Card: opened}, identity.Serial
			for _, notice := range e.deps.Notices() {
				e.note("%s", notice)
			}
			return nil
		}}
}

// cardResult is the card that read-card found; nil before.
type cardResult struct {
	Card
	waitsForTouch bool // and a person was told so
}

// allowLastTry has the card take a PIN although a wrong one blocks it.
func (c *cardResult) allowLastTry() { c.Card = c.Card.AllowLastTry() }

// cardRead reports whether the card was found.
func cardRead(e *enrollment) bool { return e.card.Card != nil }

// NoAttestationError is returned for a card that cannot prove where its keys were born.
type NoAttestationError struct{ Firmware piv.Version }

// Error says which firmware cannot.
func (e *NoAttestationError) Error() string {
	return fmt.Sprintf("firmware %s cannot attest that a key was generated on the card", e.Firmware)
}

// checkModel refuses what cards of that firmware and model cannot do, and keys that
// must not be trusted.
func (r Request) checkModel(card piv.Identity) error {
	firmware := card.Firmware
	for _, key := range r.Keys {
		generate := key.Source == SourceGenerate
		if !firmware.Attests() && (generate || !r.AllowUnattested) {
			return &NoAttestationError{Firmware: firmware}
		}
		if generate {
			if err := piv.Supports(firmware, key.Algorithm); err != nil {
				return err
			}
			if err := card.CheckPolicy(key.Slot, key.PINPolicy); err != nil {
				return err
			}
		}
	}
	return nil
}

// touched tells, after the card was used, that it waits for a touch no more.
func (e *enrollment) touched() {
	if e.card.waitsForTouch {
		e.card.waitsForTouch = false
		e.notify(StateTouched, "")
	}
}
