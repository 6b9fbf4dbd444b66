package gmail

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	api "google.golang.org/api/gmail/v1"
)

// KeyPairRequest is a key pair whose private key is on a card.
type KeyPairRequest struct {
	// PKCS7 is the chain, leaf to root, PEM-armoured with the label PKCS7.
	PKCS7 []byte
	// LeafSHA256 is the SHA-256 of the leaf's DER in lower-case hex.
	LeafSHA256 string
	// Description is stored with the key pair: which card, which slot.
	Description string
	// SkipChainValidation registers a chain that no longer validates, for reading
	// old mail only (chainValidation=none). Such a pair fits no identity.
	SkipChainValidation bool
}

func (r KeyPairRequest) check() error {
	switch sum, err := hex.DecodeString(r.LeafSHA256); {
	case err != nil || len(sum) != 32 || strings.ToLower(r.LeafSHA256) != r.LeafSHA256:
		return errors.New("leaf fingerprint is not a SHA-256 in lower-case hex")
	case len(r.PKCS7) == 0:
		return errors.New("certificate chain is missing")
	}
	return nil
}

// EnsureKeyPair makes sure that exactly one key pair for the leaf is there,
// whatever answers got lost on the way, and reports whether it created it. known
// is a list already in hand; nil means it is fetched first. Of several enabled
// pairs with the same leaf the one in use by the identity is returned, else the
// one with the smallest ID, with the others in Duplicates. A matching pair that
// is disabled is neither used nor doubled: the error matches ErrKeyPairDisabled.
func (u *User) EnsureKeyPair(ctx context.Context, known []KeyPair, want KeyPairRequest) (KeyPair, bool, error) {
	const method = "keypairs.create"
	if err := want.check(); err != nil {
		return KeyPair{}, false, &Error{Method: method, User: u.email, Kind: KindInvalid, Message: err.Error()}
	}
	o := u.begin()
	if known == nil {
		var err error
		if known, err = o.keyPairs(ctx); err != nil {
			return KeyPair{}, false, err
		}
	}
	if pair, ok, err := o.choose(ctx, known, want.LeafSHA256); ok || err != nil {
		return pair, false, err
	}

	request := &api.CseKeyPair{
		Pkcs7: string(want.PKCS7),
		PrivateKeyMetadata: []*api.CsePrivateKeyMetadata{{
			HardwareKeyMetadata: &api.HardwareKeyMetadata{Description: want.Description, ForceSendFields: []string{"Description"}},
		}},
	}
	validation := "all"
	if want.SkipChainValidation {
		validation = "none"
	}
	var pair KeyPair
	created := true
	var lost bool // an earlier try may have been carried out
	err := o.mutate(ctx, method, func(ctx context.Context) error {
		got, err := u.cse.Keypairs.Create(u.email, request).ChainValidation(validation).Context(ctx).Do()
		if err != nil {
			return err
		}
		if got.KeyPairId == "" {
			return errNoID
		}
		pair, created = fromAPI(got), true
		return nil
	}, func(ctx context.Context, e *Error) (found bool, err error) {
		lost = lost || e.ambiguous
		created = lost
		now, err := o.keyPairs(ctx)
		if err != nil {
			return false, err
		}
		pair, found, err = o.choose(ctx, now, want.LeafSHA256)
		return found, err
	})
	if err != nil {
		return KeyPair{}, false, err
	}
	if pair.LeafSHA256 != "" && !pair.Has(want.LeafSHA256) {
		return pair, created, &Error{Method: method, User: u.email, KeyPairID: pair.ID, Kind: KindMismatch,
			Message: fmt.Sprintf("key pair %s was created with another leaf certificate", clean(pair.ID))}
	}
	if pair.LeafSHA256 == "" {
		pair.LeafSHA256 = want.LeafSHA256
	}
	return pair, created, nil
}

// choose picks the key pair for the leaf among those of a list.
func (o *operation) choose(ctx context.Context, pairs []KeyPair, leaf string) (KeyPair, bool, error) {
	var enabled []KeyPair
	var disabled *KeyPair
	for _, p := range pairs {
		switch {
		case !p.Has(leaf):
		case p.Enabled:
			enabled = append(enabled, p)
		case disabled == nil:
			disabled = &p
		}
	}
	if len(enabled) == 0 {
		if disabled != nil {
			return *disabled, false, &Error{Method: "keypairs.list", User: o.user.email, KeyPairID: disabled.ID, Kind: KindKeyPairDisabled,
				Message: fmt.Sprintf("key pair %s for this certificate is there, but disabled", clean(disabled.ID))}
		}
		return KeyPair{}, false, nil
	}
	slices.SortFunc(enabled, func(a, b KeyPair) int { return strings.Compare(a.ID, b.ID) })
	best := 0
	if len(enabled) > 1 {
		identity, err := o.identity(ctx)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return KeyPair{}, false, err
		}
		if i := slices.IndexFunc(enabled, func(p KeyPair) bool { return identity.uses(p.ID) }); i >= 0 {
			best = i
		}
	}
	pair := enabled[best]
	pair.Duplicates = nil
	for i, p := range enabled {
		if i != best {
			pair.Duplicates = append(pair.Duplicates, p.ID)
		}
	}
	return pair, true, nil
}
