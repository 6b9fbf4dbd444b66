package gmail

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	api "google.golang.org/api/gmail/v1"

	"github.com/cse-piv/cse-piv/internal/safetext"
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

// CreateKeyPair creates one key pair of a hardware key, whatever answers get lost
// on the way: after an unclear answer it lists the user's key pairs, and takes one
// for the leaf that is not among known, the list that the caller has, for the one
// that was created. created is false when the server said that there is one
// already, and a new one was found. An error that matches ErrWrongKeyPair says that
// the server created something else than was asked for.
func (u *User) CreateKeyPair(ctx context.Context, known []KeyPair, want KeyPairRequest) (pair KeyPair, created bool, err error) {
	const method = "keypairs.create"
	if err := want.check(); err != nil {
		return KeyPair{}, false, &Error{Method: method, User: u.email, Kind: KindInvalid, Message: err.Error()}
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
	o := u.begin()
	var lost bool // an earlier try may have been carried out
	err = o.mutate(ctx, method, func(ctx context.Context) error {
		got, err := u.cse.Keypairs.Create(u.id, request).ChainValidation(validation).Context(ctx).Do()
		if err != nil {
			return err
		}
		created = true
		if pair, err = readKeyPair(got); err == nil && !pair.Hardware() && len(pair.KeyServices) == 0 {
			err = &protocolError{"the answer does not say where the private key is"}
		}
		return err
	}, func(ctx context.Context, e *Error) (found bool, err error) {
		lost = lost || e.ambiguous
		created = lost
		now, err := o.keyPairs(ctx)
		if err != nil {
			return false, err
		}
		pair, found = newPair(known, now, want)
		return found, nil
	})
	if err != nil {
		return KeyPair{}, false, err
	}
	if problem := want.differs(pair); problem != "" {
		return pair, created, &Error{Method: method, User: u.email, KeyPairID: pair.ID, Kind: KindWrongKeyPair,
			Message: fmt.Sprintf("key pair %s was created %s", safetext.Message(pair.ID), problem)}
	}
	return pair, created, nil
}

// newPair returns the pair for the wanted leaf that is in a list and was not known
// before; of several the one that is as wanted, by its description, too.
func newPair(known, now []KeyPair, want KeyPairRequest) (KeyPair, bool) {
	var best KeyPair
	rank := 0
	for _, pair := range now {
		if !pair.Has(want.LeafSHA256) || slices.ContainsFunc(known, func(k KeyPair) bool { return k.ID == pair.ID }) {
			continue
		}
		r := 1
		if want.differs(pair) == "" {
			r = 2
			if slices.Contains(pair.HardwareDescriptions, want.Description) {
				r = 3
			}
		}
		if r > rank {
			best, rank = pair, r
		}
	}
	return best, rank > 0
}

// differs says in what a pair that was created just now is not what was wanted.
func (r KeyPairRequest) differs(pair KeyPair) string {
	switch {
	case !pair.Has(r.LeafSHA256):
		return "with another leaf certificate"
	case len(pair.KeyServices) > 0:
		return "with a private key in a key service"
	case !pair.Hardware():
		return "without the metadata of a hardware key"
	case !pair.Enabled:
		return "disabled"
	}
	return ""
}
