package enroll

import (
	"context"
	"errors"

	"github.com/cse-piv/cse-piv/internal/piv"
)

// A management key that is protected by the PIN is found in two steps: secrets sees that the
// card says so, and set-pin reads the key once the card has taken the PIN.

// isBehindPIN reports whether the card says that the PIN leads to its management key, and nobody
// gave it.
func (e *enrollment) isBehindPIN(ctx context.Context) (bool, error) {
	if !e.request.ManagementKey.IsZero() {
		return false, nil
	}
	data, err := e.card.AdminData(ctx)
	return data.PINProtected(), err
}

// usePIN does what only who knows the PIN can: it reads the management key that the PIN leads
// to, and sees that there is room for one that is to be protected.
func (e *enrollment) usePIN(ctx context.Context) error {
	if e.protects() {
		return e.card.CheckPrinted(ctx, e.secrets.pin)
	}
	if !e.secrets.behindPIN || !e.secrets.managementKey.IsZero() {
		return nil
	}
	key, err := e.card.ProtectedManagementKey(ctx, e.secrets.pin)
	if err == nil {
		err = e.card.CheckManagementKey(ctx, key)
	}
	switch {
	case err == nil:
		e.secrets.managementKey = key
		return nil
	case errors.Is(err, piv.ErrNoProtectedKey), errors.Is(err, piv.ErrManagementKey):
		e.note("the card says that its PIN leads to its management key, and it does not: %v", err)
		e.secrets.behindPIN = false
		return e.findManagementKey(ctx)
	}
	return err
}

// protects reports whether a management key is to be set that the PIN leads to.
func (e *enrollment) protects() bool {
	return e.request.ProtectManagementKey && !e.secrets.newManagement.IsZero()
}
