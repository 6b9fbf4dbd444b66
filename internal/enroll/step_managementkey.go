package enroll

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// managementKeyStep replaces the factory management key. It comes after
// everything that needs the key, so that an enrollment that was broken off can
// go on without anybody unsealing the escrow.
func managementKeyStep() Step {
	return Step{ID: "set-management-key", Title: "replace the factory management key", Kind: KindChange, Changes: changesCard,
		needs: gathered,
		look: func(ctx context.Context, e *enrollment) (bool, error) {
			has, err := e.hasNewManagementKey(ctx)
			noted := e.noted(evidence.SecretManagementKey).State
			// While it says that it is being set, the answer to the command was lost.
			return has && (noted == evidence.SecretSet || noted != evidence.SecretSetting && e.secrets.newManagement.IsZero()), err
		},
		act: func(ctx context.Context, e *enrollment) error {
			record := e.noted(evidence.SecretManagementKey).Record
			has, err := e.hasNewManagementKey(ctx)
			if err != nil {
				return err
			}
			if !has {
				if err := e.replaceFactoryManagementKey(ctx); err != nil {
					return err
				}
			}
			if !e.secrets.newManagement.IsZero() {
				record = e.sealedRecord()
			}
			return e.secretIsSet(evidence.SecretManagementKey, record)
		}}
}

// hasNewManagementKey reports whether the card has the management key that is to be set
// or, where none is, one of its own. A try costs nothing.
func (e *enrollment) hasNewManagementKey(ctx context.Context) (bool, error) {
	if e.secrets.newManagement.IsZero() {
		return true, nil
	}
	protection, err := e.card.Protection(ctx)
	if err != nil || protection.ManagementKey.Factory == piv.Yes {
		return false, err
	}
	err = e.card.CheckManagementKey(ctx, e.secrets.newManagement)
	switch {
	case err == nil:
		return true, nil
	case !errors.Is(err, piv.ErrManagementKey):
		return false, err
	case protection.ManagementKey.Factory == piv.Unknown:
		return false, nil
	}
	return false, fmt.Errorf("the card has neither the factory management key nor the new one: %w", err)
}

// replaceFactoryManagementKey seals the new key where it is not, changes the factory one
// to it, and has the card accept it.
func (e *enrollment) replaceFactoryManagementKey(ctx context.Context) error {
	if err := e.seal(ctx); err != nil {
		return err
	}
	if err := e.noteSecret(evidence.SecretManagementKey, evidence.SecretSetting, e.sealedRecord()); err != nil {
		return err
	}
	change := e.card.ChangeManagementKey
	if e.protects() {
		change = func(ctx context.Context, old, new secret.Secret) error {
			return e.card.ProtectManagementKey(ctx, e.secrets.pin, old, new)
		}
	}
	if err := change(ctx, e.secrets.managementKey, e.secrets.newManagement); err != nil {
		return err
	}
	return e.card.CheckManagementKey(ctx, e.secrets.newManagement)
}

// noteManagementKey writes down whether the card keeps the factory management key until
// the enrollment's end, for those who keep the card meanwhile.
func (e *enrollment) noteManagementKey() error {
	noted := e.noted(evidence.SecretManagementKey).State
	switch factory := !e.secrets.newManagement.IsZero(); {
	case factory && (noted == "" || noted == evidence.SecretOwn):
		return e.noteSecret(evidence.SecretManagementKey, evidence.SecretFactory, "")
	case !factory && noted == evidence.SecretFactory:
		return e.noteSecret(evidence.SecretManagementKey, evidence.SecretOwn, "")
	}
	return nil
}
