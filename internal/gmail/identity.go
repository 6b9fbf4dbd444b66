package gmail

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	api "google.golang.org/api/gmail/v1"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Identity says which key pairs an address signs and encrypts with: either one
// for both, or one for each (CseIdentity in the Gmail API discovery document).
type Identity struct {
	Email               string `json:"email"`                            // the address that mail is sent from
	PrimaryKeyPairID    string `json:"primary_key_pair_id,omitempty"`    // for both uses
	SigningKeyPairID    string `json:"signing_key_pair_id,omitempty"`    // of two key pairs
	EncryptionKeyPairID string `json:"encryption_key_pair_id,omitempty"` // of two key pairs
}

func (i Identity) check() error {
	single := i.PrimaryKeyPairID != ""
	split := i.SigningKeyPairID != "" || i.EncryptionKeyPairID != ""
	switch {
	case !safetext.IsAddress(i.Email):
		return errors.New("identity has no e-mail address")
	case single == split:
		return errors.New("identity needs one key pair, or one for signing and one for encryption")
	case split && (i.SigningKeyPairID == "" || i.EncryptionKeyPairID == ""):
		return errors.New("identity needs a key pair for signing and one for encryption")
	}
	return nil
}

// Equal compares two identities, addresses as Gmail does, without regard to case.
func (i Identity) Equal(other Identity) bool {
	same := strings.EqualFold(i.Email, other.Email)
	i.Email, other.Email = "", ""
	return same && i == other
}

// SameIdentity reports whether both are the same identity, or both none.
func SameIdentity(a, b *Identity) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// Uses reports whether the identity signs or encrypts with that key pair.
func (i Identity) Uses(id string) bool {
	return id != "" && (i.PrimaryKeyPairID == id || i.SigningKeyPairID == id || i.EncryptionKeyPairID == id)
}

func (i Identity) toAPI() *api.CseIdentity {
	out := &api.CseIdentity{EmailAddress: i.Email, PrimaryKeyPairId: i.PrimaryKeyPairID}
	if i.PrimaryKeyPairID == "" {
		out.SignAndEncryptKeyPairs = &api.SignAndEncryptKeyPairs{SigningKeyPairId: i.SigningKeyPairID, EncryptionKeyPairId: i.EncryptionKeyPairID}
	}
	return out
}

// Identities lists the user's identities.
func (u *User) Identities(ctx context.Context) ([]Identity, error) {
	o := u.begin()
	identities := []Identity{}
	err := o.pages(ctx, "identities.list", func(ctx context.Context, token string) (string, error) {
		list := u.cse.Identities.List(u.id).PageSize(pageSize).Context(ctx)
		if token != "" {
			list.PageToken(token)
		}
		page, err := list.Do()
		if err != nil {
			return "", err
		}
		if page == nil || page.HTTPStatusCode != http.StatusOK {
			return "", errNoAnswer
		}
		for _, i := range page.CseIdentities {
			identity, err := readIdentity(i)
			if err != nil {
				return "", err
			}
			identities = append(identities, identity)
		}
		return page.NextPageToken, nil
	})
	if err != nil {
		return nil, err
	}
	return identities, nil
}

// Identity fetches the identity of the user's primary address; ErrNotFound when
// there is none.
func (u *User) Identity(ctx context.Context) (Identity, error) {
	return u.begin().identity(ctx)
}

func (o *operation) identity(ctx context.Context) (Identity, error) {
	var identity Identity
	err := o.read(ctx, "identities.get", func(ctx context.Context) error {
		got, err := o.user.cse.Identities.Get(o.user.id, o.user.email).Context(ctx).Do()
		if err == nil {
			identity, err = readIdentityOf(got, o.user.email)
		}
		return err
	})
	return identity, err
}

// CreateIdentity creates the identity of the user's primary address exactly once,
// whatever answers get lost on the way, and returns what the server then has,
// which is what was wanted. When there is one already, which is another, the error
// matches ErrConflict, or ErrPrecondition or ErrInvalid: how the server says so is
// not documented. One that matches ErrMismatch says that the server accepted the
// call but has something else.
func (u *User) CreateIdentity(ctx context.Context, want Identity) (Identity, error) {
	return u.begin().setIdentity(ctx, "identities.create", want, func(ctx context.Context, want Identity) (*api.CseIdentity, error) {
		return u.cse.Identities.Create(u.id, want.toAPI()).Context(ctx).Do()
	}, func(err error) bool { return errors.Is(err, ErrNotFound) })
}

// PatchIdentity makes the identity of the user's primary address what is wanted,
// and returns what the server then has. The error is ErrNotFound where there is
// none, and matches ErrMismatch where the server accepted the call but has
// something else.
func (u *User) PatchIdentity(ctx context.Context, want Identity) (Identity, error) {
	// It may be sent twice: the second time changes nothing.
	return u.begin().setIdentity(ctx, "identities.patch", want, func(ctx context.Context, want Identity) (*api.CseIdentity, error) {
		return u.cse.Identities.Patch(u.id, want.Email, want.toAPI()).Context(ctx).Do()
	}, func(error) bool { return false })
}

// setIdentity makes a call that sets the identity, and reads back what the server then has.
// Where its answer is lost the identity is looked at; an error of that look for which unset
// reports true says that the call was not carried out.
func (o *operation) setIdentity(ctx context.Context, method string, want Identity, call func(context.Context, Identity) (*api.CseIdentity, error), unset func(error) bool) (Identity, error) {
	want, err := o.wanted(method, want)
	if err != nil {
		return Identity{}, err
	}
	var got Identity
	err = o.mutate(ctx, method, func(ctx context.Context) error {
		answer, err := call(ctx, want)
		if err == nil {
			got, err = readIdentityOf(answer, o.user.email)
		}
		return err
	}, func(ctx context.Context, _ *Error) (bool, error) {
		now, err := o.identity(ctx)
		if unset(err) {
			return false, nil
		}
		got = now
		return err == nil && now.Equal(want), err
	})
	if err != nil {
		return Identity{}, err
	}
	return o.readBack(ctx, method, got, want)
}

// wanted checks an identity that is to be set.
func (o *operation) wanted(method string, want Identity) (Identity, error) {
	if want.Email == "" {
		want.Email = o.user.email
	}
	if err := want.check(); err != nil {
		return Identity{}, &Error{Method: method, User: o.user.email, Kind: KindInvalid, Message: err.Error()}
	}
	return want, nil
}

// readBack compares the answer with what was wanted; only if it differs the
// identity is fetched, in case the answer was terse.
func (o *operation) readBack(ctx context.Context, method string, got, want Identity) (Identity, error) {
	if got.Equal(want) {
		return got, nil
	}
	now, err := o.identity(ctx)
	if err != nil {
		return Identity{}, err
	}
	if now.Equal(want) {
		return now, nil
	}
	return now, &Error{Method: method, User: o.user.email, Kind: KindMismatch,
		Message: fmt.Sprintf("the identity of %s has other key pairs than those just set", safetext.Message(want.Email))}
}

// DeleteIdentity removes the identity of the user's primary address. It cannot
// be restored, only created anew; the key pairs stay.
func (u *User) DeleteIdentity(ctx context.Context) error {
	o := u.begin()
	return o.mutate(ctx, "identities.delete", func(ctx context.Context) error {
		return u.cse.Identities.Delete(u.id, u.email).Context(ctx).Do()
	}, func(ctx context.Context, _ *Error) (bool, error) {
		_, err := o.identity(ctx)
		return gone(err)
	})
}

// gone turns the error of a look into whether the thing is no longer there.
func gone(err error) (bool, error) {
	if errors.Is(err, ErrNotFound) {
		return true, nil
	}
	return false, err
}

// withKeyPair notes in an error which key pair it is about.
func withKeyPair(err error, id string) error {
	var e *Error
	if errors.As(err, &e) && e.KeyPairID == "" {
		e.KeyPairID = id
	}
	return err
}
