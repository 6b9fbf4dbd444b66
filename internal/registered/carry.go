package registered

import (
	"context"
	"errors"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

// Settings are a user's settings at Gmail that changes by hand need.
type Settings interface {
	KeyPairs(ctx context.Context) ([]gmail.KeyPair, error)
	Identity(ctx context.Context) (gmail.Identity, error)
	EnableKeyPair(ctx context.Context, id string) (gmail.KeyPair, error)
	DisableKeyPair(ctx context.Context, id string) (gmail.KeyPair, error)
	ObliterateKeyPair(ctx context.Context, id string) error
	CreateIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error)
	PatchIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error)
	DeleteIdentity(ctx context.Context) error
}

// ReadState reads what Gmail has of a user.
func ReadState(ctx context.Context, settings Settings) (state State, err error) {
	if state.KeyPairs, err = settings.KeyPairs(ctx); err != nil {
		return state, err
	}
	identity, err := settings.Identity(ctx)
	switch {
	case err == nil:
		state.Identity = &identity
	case !errors.Is(err, gmail.ErrNotFound):
		return state, err
	}
	return state, nil
}

// Carry carries a change out. Somebody may have changed the same since it was forecast:
// the error is a *ChangedError then, and nothing was done.
func Carry(ctx context.Context, settings Settings, forecast Effect) error {
	state, err := ReadState(ctx, settings)
	if err != nil {
		return err
	}
	if !gmail.SameIdentity(state.Identity, forecast.Before) {
		return &ChangedError{}
	}
	switch forecast.Verb {
	case VerbEnable:
		_, err = settings.EnableKeyPair(ctx, forecast.KeyPairID)
	case VerbDisable:
		_, err = settings.DisableKeyPair(ctx, forecast.KeyPairID)
	case VerbObliterate:
		err = settings.ObliterateKeyPair(ctx, forecast.KeyPairID)
	case VerbDelete:
		err = settings.DeleteIdentity(ctx)
	case VerbSet:
		set := settings.PatchIdentity
		if state.Identity == nil {
			set = settings.CreateIdentity
		}
		_, err = set(ctx, forecast.Identity)
	}
	return err
}

// ChangedError is returned where somebody else changed what Gmail has of the user at the
// same time.
type ChangedError struct {
	// Carried tells that the change was made, and is no longer so; else nothing was done.
	Carried bool
}

// Error says so.
func (e *ChangedError) Error() string {
	if e.Carried {
		return "somebody else changed the user's settings just now: they are not as they were set"
	}
	return "somebody else changed the identity meanwhile, so nothing was done"
}
