package enroll

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// managementKeyStep replaces the factory management key. It comes after
// everything that needs the key, so that an enrollment that was broken off can
// go on without anybody unsealing the escrow.
func managementKeyStep() Step {
	return Step{ID: "set-management-key", Title: "replace the factory management key", Kind: KindChange, Changes: changesCard,
		needs: gathered,
		look: func(ctx context.Context, e *Enrollment) (bool, error) {
			if e.secrets.newManagement.IsZero() {
				if noted := e.journal.Secrets[evidence.SecretManagementKey]; noted.State == evidence.SecretSetting {
					// The card has another than the factory one: the answer was lost.
					return true, e.secretIsSet(evidence.SecretManagementKey, noted.Record)
				}
				return true, nil
			}
			protection, err := e.card.Protection(ctx)
			if err != nil || protection.ManagementKey.Factory == piv.Yes {
				return false, err
			}
			err = e.card.CheckManagementKey(ctx, e.secrets.newManagement)
			switch {
			case err == nil:
				e.secrets.managementKey = e.secrets.newManagement
				return true, e.secretIsSet(evidence.SecretManagementKey, e.secrets.record)
			case !errors.Is(err, piv.ErrManagementKey):
				return false, err
			case protection.ManagementKey.Factory == piv.Unknown:
				return false, nil
			}
			return false, fmt.Errorf("the card has neither the factory management key nor the new one: %w", err)
		},
		act: func(ctx context.Context, e *Enrollment) error {
			if err := e.seal(ctx); err != nil {
				return err
			}
			if err := e.noteSecret(evidence.SecretManagementKey, evidence.SecretSetting, e.secrets.record); err != nil {
				return err
			}
			return e.card.ChangeManagementKey(ctx, e.secrets.managementKey, e.secrets.newManagement)
		}}
}
