package gmail

import (
	"context"
	"errors"
	"strings"

	api "google.golang.org/api/gmail/v1"
)

// Identity says which key pairs an address signs and encrypts with: either one
// for both, or one for each (CseIdentity in the Gmail API discovery document).
type Identity struct {
	Email               string `json:"email"`
	PrimaryKeyPairID    string `json:"primary_key_pair_id,omitempty"`
	SigningKeyPairID    string `json:"signing_key_pair_id,omitempty"`
	EncryptionKeyPairID string `json:"encryption_key_pair_id,omitempty"`
}

func (i Identity) check() error {
	single := i.PrimaryKeyPairID != ""
	split := i.SigningKeyPairID != "" || i.EncryptionKeyPairID != ""
	switch {
	case !isAddress(i.Email):
		return errors.New("identity has no e-mail address")
	case single == split:
		return errors.New("identity needs one key pair, or one for signing and one for encryption")
	case split && (i.SigningKeyPairID == "" || i.EncryptionKeyPairID == ""):
		return errors.New("identity needs a key pair for signing and one for encryption")
	}
	return nil
}

// equal compares addresses as Gmail does, without regard to case.
func (i Identity) equal(other Identity) bool {
	same := strings.EqualFold(i.Email, other.Email)
	i.Email, other.Email = "", ""
	return same && i == other
}

func (i Identity) uses(id string) bool {
	return id != "" && (i.PrimaryKeyPairID == id || i.SigningKeyPairID == id || i.EncryptionKeyPairID == id)
}

func (i Identity) toAPI() *api.CseIdentity {
	out := &api.CseIdentity{EmailAddress: i.Email, PrimaryKeyPairId: i.PrimaryKeyPairID}
	if i.PrimaryKeyPairID == "" {
		out.SignAndEncryptKeyPairs = &api.SignAndEncryptKeyPairs{SigningKeyPairId: i.SigningKeyPairID, EncryptionKeyPairId: i.EncryptionKeyPairID}
	}
	return out
}

func identityFromAPI(a *api.CseIdentity) Identity {
	i := Identity{Email: a.EmailAddress, PrimaryKeyPairID: a.PrimaryKeyPairId}
	if s := a.SignAndEncryptKeyPairs; s != nil {
		i.SigningKeyPairID, i.EncryptionKeyPairID = s.SigningKeyPairId, s.EncryptionKeyPairId
	}
	return i
}

// Identities lists the user's identities.
func (u *User) Identities(ctx context.Context) ([]Identity, error) {
	o := u.begin()
	identities := []Identity{}
	err := o.pages(ctx, "identities.list", func(ctx context.Context, token string) (string, error) {
		list := u.cse.Identities.List(u.email).PageSize(pageSize).Context(ctx)
		if token != "" {
			list.PageToken(token)
		}
		page, err := list.Do()
		if err != nil {
			return "", err
		}
		for _, i := range page.CseIdentities {
			if i != nil {
				identities = append(identities, identityFromAPI(i))
			}
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
	var got *api.CseIdentity
	err := o.read(ctx, "identities.get", func(ctx context.Context) (err error) {
		got, err = o.user.cse.Identities.Get(o.user.email, o.user.email).Context(ctx).Do()
		return err
	})
	if err != nil {
		return Identity{}, err
	}
	return identityFromAPI(got), nil
}

// DeleteIdentity removes the identity of the user's primary address. It cannot
// be restored, only created anew; the key pairs stay.
func (u *User) DeleteIdentity(ctx context.Context) error {
	o := u.begin()
	return o.mutate(ctx, "identities.delete", func(ctx context.Context) error {
		return u.cse.Identities.Delete(u.email, u.email).Context(ctx).Do()
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
