package gmail

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Action says what EnsureIdentity had to do.
type Action string

// The actions.
const (
	Unchanged Action = "unchanged"
	Created   Action = "created"
	Patched   Action = "patched"
)

// Change is what EnsureIdentity did, and for Patched what was there before.
type Change struct {
	Action Action    `json:"action"`
	Before *Identity `json:"before,omitempty"`
}

// EnsureIdentity makes the user's identity what is wanted and compares what the
// server then says with it. fresh means that there is probably none: creating is
// tried first, which saves a call. An error that matches ErrMismatch says the
// server accepted the call but holds something else.
func (u *User) EnsureIdentity(ctx context.Context, want Identity, fresh bool) (Identity, Change, error) {
	if want.Email == "" {
		want.Email = u.email
	}
	if err := want.check(); err != nil {
		return Identity{}, Change{}, &Error{Method: "identities.create", User: u.email, Kind: KindInvalid, Message: err.Error()}
	}
	o := u.begin()
	if fresh {
		got, change, err := o.createIdentity(ctx, want)
		if !mayExist(err) {
			return got, change, err
		}
	}
	before, err := o.identity(ctx)
	switch {
	case errors.Is(err, ErrNotFound):
		return o.createIdentity(ctx, want)
	case err != nil:
		return Identity{}, Change{}, err
	case before.equal(want):
		return before, Change{Action: Unchanged}, nil
	}
	got, err := o.patchIdentity(ctx, want)
	return got, Change{Action: Patched, Before: &before}, err
}

// mayExist reports whether a failed create can mean that there is an identity
// already. How the server says so is not documented, so other refusals than a
// plain conflict are followed by a look as well.
func mayExist(err error) bool {
	var e *Error
	if !errors.As(err, &e) || e.Method != "identities.create" {
		return false
	}
	return e.Kind == KindConflict || e.Kind == KindPrecondition ||
		e.Kind == KindInvalid && strings.Contains(strings.ToLower(e.Message), "exist")
}

func (o *operation) createIdentity(ctx context.Context, want Identity) (Identity, Change, error) {
	var got Identity
	action := Created
	var lost bool // an earlier try may have been carried out
	const method = "identities.create"
	err := o.mutate(ctx, method, func(ctx context.Context) error {
		answer, err := o.user.cse.Identities.Create(o.user.email, want.toAPI()).Context(ctx).Do()
		if err == nil {
			got, action = identityFromAPI(answer), Created
		}
		return err
	}, func(ctx context.Context, e *Error) (bool, error) {
		lost = lost || e.ambiguous
		now, err := o.identity(ctx)
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		if got, action = now, Unchanged; lost {
			action = Created
		}
		return err == nil && now.equal(want), err
	})
	if err != nil {
		return Identity{}, Change{}, err
	}
	got, err = o.readBack(ctx, method, got, want)
	return got, Change{Action: action}, err
}

// patchIdentity may be sent twice: the second time changes nothing.
func (o *operation) patchIdentity(ctx context.Context, want Identity) (Identity, error) {
	var got Identity
	const method = "identities.patch"
	err := o.read(ctx, method, func(ctx context.Context) error {
		answer, err := o.user.cse.Identities.Patch(o.user.email, want.Email, want.toAPI()).Context(ctx).Do()
		if err == nil {
			got = identityFromAPI(answer)
		}
		return err
	})
	if err != nil {
		return Identity{}, err
	}
	return o.readBack(ctx, method, got, want)
}

// readBack compares the answer with what was wanted; only if it differs the
// identity is fetched, in case the answer was terse.
func (o *operation) readBack(ctx context.Context, method string, got, want Identity) (Identity, error) {
	if got.equal(want) {
		return got, nil
	}
	now, err := o.identity(ctx)
	if err != nil {
		return Identity{}, err
	}
	if now.equal(want) {
		return now, nil
	}
	return now, &Error{Method: method, User: o.user.email, Kind: KindMismatch,
		Message: fmt.Sprintf("the identity of %s holds other key pairs than those just set", clean(want.Email))}
}
