package enroll

import (
	"context"
	"crypto/x509"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// chainAtGmail returns the certificates of the key pair of the user that has the
// slot's key, its leaf first; of several, which a renewal leaves, those of the newest. It
// is nil where Gmail has none.
func (e *enrollment) chainAtGmail(contents piv.SlotContents) []*x509.Certificate {
	if contents.Key == nil {
		return nil
	}
	if e.user.registration == nil {
		return nil // a preview that could not ask Gmail
	}
	var newest []*x509.Certificate
	for _, pair := range e.user.registration.KeyPairs() {
		chain := chainOf(pair)
		if chain == nil || !certificate.SameKey(chain[0].PublicKey, contents.Key.PublicKey) {
			continue
		}
		if newest == nil || chain[0].NotBefore.After(newest[0].NotBefore) {
			newest = chain
		}
	}
	return newest
}

// chainOf returns the certificates that Gmail holds of a key pair, its leaf first;
// nil where they cannot be read.
func chainOf(pair gmail.KeyPair) []*x509.Certificate {
	certificates, err := certificate.Parse([]byte(pair.PEM))
	if err != nil {
		return nil
	}
	for i, one := range certificates {
		if certificate.Fingerprint(one) == pair.LeafSHA256 {
			certificates[0], certificates[i] = one, certificates[0]
			return certificates
		}
	}
	return nil
}

// keysAtGmail returns the keys of the card that are the user's identity at Gmail,
// as a request would have asked for them; nil where they are not, or not all, on
// this card.
func (e *enrollment) keysAtGmail(ctx context.Context) ([]KeyRequest, error) {
	if e.user.registration == nil {
		return nil, nil
	}
	identity, err := e.user.registration.Identity(ctx)
	if err != nil || identity == nil {
		return nil, err
	}
	there := map[string]piv.SlotContents{}
	for _, pair := range e.user.registration.KeyPairs() {
		slot, ok := slotAtGmail(pair, e.request.Serial)
		if !ok || !identity.Uses(pair.ID) {
			continue
		}
		contents, err := e.card.Slot(ctx, slot)
		if err != nil {
			return nil, err
		}
		if isOf(contents, pair) {
			there[pair.ID] = contents
		}
	}
	return keysOf(identity, there), nil
}

// requestOf is the key in a slot as a request would have asked for it.
func requestOf(contents piv.SlotContents) KeyRequest {
	request := KeyRequest{
		Slot: contents.Slot, Source: SourceGenerate,
		Algorithm: contents.Key.Algorithm, PINPolicy: contents.Key.PINPolicy, TouchPolicy: contents.Key.TouchPolicy,
	}
	if request.PINPolicy == piv.PINDefault.In(contents.Slot) {
		request.PINPolicy = piv.PINDefault
	}
	if request.TouchPolicy == piv.TouchDefault.Effective() {
		request.TouchPolicy = piv.TouchDefault
	}
	if contents.Key.Origin != piv.Generated {
		request.Source = SourceExisting
	}
	return request
}
