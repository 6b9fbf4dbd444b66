package enroll

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// pinStep gives a new card the user's PIN, and on another card checks the PIN.
func pinStep() Step {
	return Step{ID: "set-pin", Title: "set or check the PIN", Kind: KindChange, Changes: changesCard,
		look: func(ctx context.Context, e *Enrollment) (bool, error) {
			if e.secrets.verified {
				return true, nil
			}
			protection, err := e.card.Protection(ctx)
			if err != nil || protection.PIN.Factory == piv.Yes {
				return false, err
			}
			if err := e.verifyPIN(ctx); err != nil {
				return false, err
			}
			e.secrets.verified = true
			return true, nil
		},
		act: func(ctx context.Context, e *Enrollment) error {
			// The card itself says that it is the factory one: no try is at risk.
			return e.card.AllowLastTry().ChangePIN(ctx, piv.FactoryPIN(), e.secrets.pin)
		}}
}

// verifyPIN checks the user's PIN, and lets a person who typed it try again
// while tries are left.
func (e *Enrollment) verifyPIN(ctx context.Context) error {
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
		if !errors.As(err, &wrong) || !e.request.PIN.IsZero() {
			return err
		}
		problem := "that was not the PIN: " + triesLeft(wrong.Tries)
		e.note("%s", problem)
		e.secrets.pin = secret.Secret{}
		protection, err := e.card.Protection(ctx)
		if err != nil {
			return err
		}
		if err := e.askPIN(ctx, protection, problem); err != nil {
			return err
		}
	}
}

func triesLeft(tries int) string {
	if tries == 1 {
		return "1 try left"
	}
	return fmt.Sprintf("%d tries left", tries)
}

// riskLastTry asks before a try is used that would block the PIN if it is wrong.
func (e *Enrollment) riskLastTry(ctx context.Context, last *piv.LastTryError) error {
	agreed, err := e.world.Prompter.Confirm(ctx, Question{
		ID: "last-try", Text: fmt.Sprintf("one try of card %d's PIN is left: a wrong PIN blocks the card; try it?", e.serial),
	})
	var missing *MissingError
	if errors.As(err, &missing) || (err == nil && !agreed) {
		return last
	}
	if err != nil {
		return err
	}
	e.card = e.card.AllowLastTry()
	return nil
}

// escrowStep seals the generated secrets and sees them on disk before any of
// them is set on the card, because a card whose management key nobody knows can
// only be wiped.
func escrowStep() Step {
	return Step{ID: "escrow", Title: "seal the card's new PUK and management key", Kind: KindChange, Changes: changesFiles,
		look: func(_ context.Context, e *Enrollment) (bool, error) {
			return e.secrets.sealed || !e.secrets.generated, nil
		},
		act: func(ctx context.Context, e *Enrollment) error {
			path, err := e.world.Escrow.Put(ctx, escrow.Record{
				Serial: e.serial, Created: e.world.Now().UTC(),
				PUK: e.secrets.puk, ManagementKey: e.secrets.newManagement,
				Note: "for " + e.request.Email,
			})
			if err != nil {
				return err
			}
			e.secrets.sealed = true
			e.note("sealed in %s", path)
			e.journal.Escrow = append(e.journal.Escrow, path)
			return e.folder.WriteJournal(e.journal)
		}}
}

// pukStep replaces the factory PUK.
func pukStep() Step {
	return Step{ID: "set-puk", Title: "replace the factory PUK", Kind: KindChange, Changes: changesCard,
		look: func(ctx context.Context, e *Enrollment) (bool, error) {
			if e.secrets.puk.IsZero() {
				return true, nil
			}
			protection, err := e.card.Protection(ctx)
			return protection.PUK.Factory != piv.Yes, err
		},
		act: func(ctx context.Context, e *Enrollment) error {
			return e.card.AllowLastTry().ChangePUK(ctx, piv.FactoryPUK(), e.secrets.puk)
		}}
}

// managementKeyStep replaces the factory management key. It comes after
// everything that needs the key, so that an enrollment that was broken off can
// go on without anybody unsealing the escrow.
func managementKeyStep() Step {
	return Step{ID: "set-management-key", Title: "replace the factory management key", Kind: KindChange, Changes: changesCard,
		look: func(ctx context.Context, e *Enrollment) (bool, error) {
			if e.secrets.newManagement.IsZero() {
				return true, nil
			}
			protection, err := e.card.Protection(ctx)
			if err != nil || protection.ManagementKey.Factory == piv.Yes {
				return false, err
			}
			err = e.card.CheckManagementKey(ctx, e.secrets.newManagement)
			if err == nil {
				e.secrets.managementKey = e.secrets.newManagement
				return true, nil
			}
			if protection.ManagementKey.Factory == piv.Unknown {
				return false, nil
			}
			return false, fmt.Errorf("the card has neither the factory management key nor the new one: %w", err)
		},
		act: func(ctx context.Context, e *Enrollment) error {
			return e.card.ChangeManagementKey(ctx, e.secrets.managementKey, e.secrets.newManagement)
		}}
}
