package gmail

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	api "google.golang.org/api/gmail/v1"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// pageSize is asked for when listing; the API's own default is 20.
const pageSize = 100

// maxPages and maxListing, in bytes, bound a listing against a server that never
// ends it.
const (
	maxPages   = 100
	maxListing = 32 << 20
)

// KeyPair is a certificate chain registered for a user, and what is known of
// the private key (CseKeyPair in the Gmail API discovery document).
type KeyPair struct {
	ID string `json:"key_pair_id"`
	// LeafSHA256 is the SHA-256 of the leaf's DER in lower-case hex; empty when
	// the server gave no readable certificate.
	LeafSHA256 string `json:"leaf_sha256"`
	// NotAfter is the end of the leaf's validity, if it could be parsed.
	NotAfter time.Time `json:"not_after,omitzero"`
	// Emails are the addresses the server found in the leaf.
	Emails  []string `json:"emails"`
	Enabled bool     `json:"enabled"`
	// DisableTime is when the pair was disabled; zero for an enabled one.
	DisableTime time.Time `json:"disable_time,omitzero"`
	// HardwareDescriptions are the free texts stored for keys on cards.
	HardwareDescriptions []string `json:"hardware_descriptions,omitempty"`
	// KeyServices are the URIs of key services holding a wrapped private key.
	KeyServices []string `json:"key_services,omitempty"`
	// PEM is the chain as the server holds it.
	PEM string `json:"-"`

	fingerprints []string // of every certificate in PEM
}

// Has reports whether the certificate with that SHA-256 (lower-case hex of its
// DER) is the pair's leaf.
func (k KeyPair) Has(leafSHA256 string) bool {
	if leafSHA256 == "" {
		return false
	}
	// Which certificate of the chain is the leaf is this package's reading; a
	// match must not depend on it.
	return k.LeafSHA256 == leafSHA256 || slices.Contains(k.fingerprints, leafSHA256)
}

// Hardware reports whether the private key is on a card: the pair has
// hardwareKeyMetadata. A pair without it is another one, even with the same leaf.
func (k KeyPair) Hardware() bool { return len(k.HardwareDescriptions) > 0 }

// KeyPairs lists all key pairs of the user, in the server's order.
func (u *User) KeyPairs(ctx context.Context) ([]KeyPair, error) {
	return u.begin().keyPairs(ctx)
}

func (o *operation) keyPairs(ctx context.Context) ([]KeyPair, error) {
	pairs, size := []KeyPair{}, 0
	err := o.pages(ctx, "keypairs.list", func(ctx context.Context, token string) (string, error) {
		list := o.user.cse.Keypairs.List(o.user.id).PageSize(pageSize).Context(ctx)
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
		for _, p := range page.CseKeyPairs {
			pair, err := readKeyPair(p)
			if err != nil {
				return "", err
			}
			if size += pair.size(); size > maxListing {
				return "", &protocolError{"the list of key pairs is larger than 32 MiB"}
			}
			pairs = append(pairs, pair)
		}
		return page.NextPageToken, nil
	})
	if err != nil {
		return nil, err
	}
	return pairs, nil
}

// pages follows a paged list to its end.
func (o *operation) pages(ctx context.Context, method string, page func(ctx context.Context, token string) (next string, err error)) error {
	seen := map[string]bool{"": true}
	for token := ""; ; {
		var next string
		err := o.read(ctx, method, func(ctx context.Context) (err error) {
			next, err = page(ctx, token)
			return err
		})
		if err != nil || next == "" {
			return err
		}
		if seen[next] || len(seen) >= maxPages || time.Now().After(o.deadline) {
			return &Error{Method: method, User: o.user.email, Kind: KindProtocol, Message: "the list does not end"}
		}
		seen[next], token = true, next
	}
}

// KeyPair fetches one key pair; ErrNotFound when there is none with that ID.
func (u *User) KeyPair(ctx context.Context, id string) (KeyPair, error) {
	return u.begin().keyPair(ctx, id)
}

func (o *operation) keyPair(ctx context.Context, id string) (KeyPair, error) {
	var pair KeyPair
	err := o.read(ctx, "keypairs.get", func(ctx context.Context) error {
		got, err := o.user.cse.Keypairs.Get(o.user.id, id).Context(ctx).Do()
		if err == nil {
			pair, err = readKeyPairOf(got, id)
		}
		return err
	})
	if err != nil {
		return KeyPair{}, withKeyPair(err, id)
	}
	return pair, nil
}

// EnableKeyPair turns a disabled key pair on again.
func (u *User) EnableKeyPair(ctx context.Context, id string) (KeyPair, error) {
	return u.switchKeyPair(ctx, "keypairs.enable", id, true, func(ctx context.Context) (*api.CseKeyPair, error) {
		return u.cse.Keypairs.Enable(u.id, id, &api.EnableCseKeyPairRequest{}).Context(ctx).Do()
	})
}

// DisableKeyPair turns a key pair off: from then on the user can neither sign
// nor read with it. After 30 days it can be obliterated.
func (u *User) DisableKeyPair(ctx context.Context, id string) (KeyPair, error) {
	return u.switchKeyPair(ctx, "keypairs.disable", id, false, func(ctx context.Context) (*api.CseKeyPair, error) {
		return u.cse.Keypairs.Disable(u.id, id, &api.DisableCseKeyPairRequest{}).Context(ctx).Do()
	})
}

func (u *User) switchKeyPair(ctx context.Context, method, id string, enabled bool, do func(context.Context) (*api.CseKeyPair, error)) (KeyPair, error) {
	o := u.begin()
	var pair KeyPair
	err := o.mutate(ctx, method, func(ctx context.Context) error {
		got, err := do(ctx)
		if err == nil {
			pair, err = readKeyPairOf(got, id)
		}
		return err
	}, func(ctx context.Context, _ *Error) (ok bool, err error) {
		pair, err = o.keyPair(ctx, id)
		return err == nil && pair.Enabled == enabled, err
	})
	if err != nil {
		return KeyPair{}, withKeyPair(err, id)
	}
	if pair.Enabled != enabled {
		return pair, &Error{Method: method, User: u.email, KeyPairID: id, Kind: KindMismatch, Message: fmt.Sprintf("key pair %s did not change", safetext.Message(id))}
	}
	return pair, nil
}

// ObliterateKeyPair deletes a key pair for ever, with it all mail that only it
// can decrypt. The server allows it after more than 30 days disabled.
func (u *User) ObliterateKeyPair(ctx context.Context, id string) error {
	o := u.begin()
	err := o.mutate(ctx, "keypairs.obliterate", func(ctx context.Context) error {
		return u.cse.Keypairs.Obliterate(u.id, id, &api.ObliterateCseKeyPairRequest{}).Context(ctx).Do()
	}, func(ctx context.Context, _ *Error) (bool, error) {
		_, err := o.keyPair(ctx, id)
		return gone(err)
	})
	return withKeyPair(err, id)
}
