package registration

import (
	"context"
	"fmt"
	"slices"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// HasKeyPair reports whether Gmail had, when it was asked last, an enabled key pair
// of a card for the leaf with that SHA-256.
func (r *Registration) HasKeyPair(leafSHA256 string) bool {
	return len(ofCard(r.pairs, leafSHA256)) > 0
}

// KeyPairs returns the user's key pairs, as they were listed last.
func (r *Registration) KeyPairs() []gmail.KeyPair { return slices.Clone(r.pairs) }

// Identity returns the user's identity as it is now; nil for none.
func (r *Registration) Identity(ctx context.Context) (*gmail.Identity, error) {
	if r.isNew {
		return nil, nil
	}
	err := r.look(ctx)
	return r.identity, err
}

// LastIdentity returns the user's identity as it was seen last; nil for none.
func (r *Registration) LastIdentity() *gmail.Identity { return r.identity }

// InUse returns the key pairs that the user's identity uses now, as they were listed. Who
// asks decides by them: an identity that is another when it is to be set stays as it is,
// and EnsureIdentity returns an error.
func (r *Registration) InUse(ctx context.Context) ([]gmail.KeyPair, error) {
	if r.isNew {
		return nil, nil
	}
	if err := r.look(ctx); err != nil {
		return nil, err
	}
	r.relied, r.reliesOn = r.identity, true
	if r.identity == nil {
		return nil, nil
	}
	return slices.DeleteFunc(slices.Clone(r.pairs), func(pair gmail.KeyPair) bool { return !r.identity.Uses(pair.ID) }), nil
}

// EnsureKeyPair sees to a key pair for the key: one that is there, or else a new
// one. The same key again changes nothing. A pair that is there but disabled is
// neither used nor doubled: the error matches gmail.ErrKeyPairDisabled. Only pairs
// with the metadata of a hardware key count.
func (r *Registration) EnsureKeyPair(ctx context.Context, want Key) error {
	if slices.ContainsFunc(r.keys, func(k *key) bool { return k.Use == want.Use && k.LeafSHA256 == want.LeafSHA256 }) {
		return nil
	}
	k := &key{Key: want}
	fit := r.candidates(k)
	if len(fit) > 0 {
		k.pair = fit[0]
	} else if err := r.create(ctx, k); err != nil {
		return err
	}
	r.keys = append(r.keys, k)
	if len(fit) > 1 && k.Use != certificate.UseHistory {
		return nil // the identity decides
	}
	return r.report(ctx, len(r.keys)-1)
}

// candidates are the enabled pairs of the key's leaf that can serve for it, in
// Gmail's order.
func (r *Registration) candidates(k *key) []gmail.KeyPair {
	return slices.DeleteFunc(ofCard(r.pairs, k.LeafSHA256), func(pair gmail.KeyPair) bool {
		return k.Use != certificate.UseHistory && r.unfit[pair.ID]
	})
}

// ofCard are the enabled pairs for a leaf whose private key is on a card.
func ofCard(pairs []gmail.KeyPair, leafSHA256 string) []gmail.KeyPair {
	var found []gmail.KeyPair
	for _, pair := range pairs {
		if pair.Has(leafSHA256) && pair.Hardware() && pair.Enabled {
			found = append(found, pair)
		}
	}
	return found
}

// create creates a pair for the key, unless there is one of which that would be a
// double.
func (r *Registration) create(ctx context.Context, k *key) error {
	for _, pair := range r.pairs {
		switch {
		case !pair.Has(k.LeafSHA256):
		case !pair.Hardware() && len(pair.KeyServices) == 0:
			return r.failed(pair, gmail.KindProtocol, "key pair %s is of the same certificate, and nothing says where its private key is", pair.ID)
		case pair.Hardware() && !pair.Enabled:
			return r.failed(pair, gmail.KindKeyPairDisabled, "key pair %s for this certificate is there, but disabled", pair.ID)
		}
	}
	if err := r.mayChange(ctx); err != nil {
		return err
	}
	pair, created, err := r.account.CreateKeyPair(ctx, r.pairs, gmail.KeyPairRequest{
		PKCS7: k.PKCS7, LeafSHA256: k.LeafSHA256, Description: k.Description, SkipChainValidation: k.Use == certificate.UseHistory,
	})
	if err != nil {
		return err
	}
	k.pair, k.created = pair, created
	r.pairs = append(slices.Clip(r.pairs), pair)
	if created && k.Use == certificate.UseHistory {
		r.unfit[pair.ID] = true
	}
	return nil
}

func (r *Registration) failed(pair gmail.KeyPair, kind gmail.Kind, format string, args ...any) error {
	return &gmail.Error{Method: "keypairs.list", User: r.email, KeyPairID: pair.ID, Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// report calls the hook for the key with that index.
func (r *Registration) report(ctx context.Context, index int) error {
	k := r.keys[index]
	k.reported = k.pair.ID
	if r.hooks.KeyPair == nil {
		return nil
	}
	return r.hooks.KeyPair(ctx, index, k.pair, k.created)
}
