package enroll

import (
	"context"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv"
)

// readCardStep finds the card and sees to it that it can do what is asked.
func readCardStep() Step {
	return Step{ID: "read-card", Title: "read the card", Kind: KindCheck, Changes: changesNothing,
		check: func(ctx context.Context, e *Enrollment) error {
			card, err := e.world.OpenCard(ctx, e.serial, func(slot piv.Slot) {
				e.waitsForTouch = true
				e.notify(StateTouch, fmt.Sprintf("the key in slot %s waits for a touch", slot))
			})
			if err != nil {
				return err
			}
			identity := card.Identity()
			for _, key := range e.keys {
				if key.Source != SourceGenerate {
					continue
				}
				if err := piv.Supports(identity.Firmware, key.Algorithm); err != nil {
					return fmt.Errorf("card %d: %w", identity.Serial, err)
				}
			}
			e.card, e.identity, e.serial = card, identity, identity.Serial
			return nil
		}}
}

// touched tells, after the card was used, that it waits for a touch no more.
func (e *Enrollment) touched() {
	if e.waitsForTouch {
		e.waitsForTouch = false
		e.notify(StateTouched, "")
	}
}
