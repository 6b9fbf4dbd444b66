// Package issuer turns certificate requests into certificates: through files
// that a person or another system answers, with a CA key at hand, or from a CA
// that speaks EST or step-ca's API.
package issuer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Request asks for the certificate of one key.
type Request struct {
	// Email is the address the certificate is for.
	Email string
	// Slot is the key's place on the card, such as "9d".
	Slot string
	// CSR is the certification request (PKCS#10, RFC 2986) in DER.
	CSR []byte
	// Attestation is the proof that the key was born on a card: the slot's
	// certificate, the device's, then intermediates. It may be empty.
	Attestation []*x509.Certificate
	// Use is what it is for: signing, encryption or both; empty means both.
	Use certificate.Use
	// Key signs with the key itself, which may need a PIN and a touch; nil where the card
	// is not there.
	Key crypto.Signer
	// Renews is the certificate that the new one takes the place of, or nil. Neither that
	// nor an older one of the same key is an answer.
	Renews *x509.Certificate
	// Notice, where it is not nil, is told in one sentence each time what keeps Issue
	// waiting, and for how long.
	Notice func(what string)
}

// Issuer gets a certificate for a request.
type Issuer interface {
	// Name says which issuer it is, for people: no two have the same. It is "file"
	// and the folder, "local" and the name of the CA, "est" and the URL, or "step-ca" or
	// "step-ca-acme" and URL and provisioner.
	Name() string
	// Issue returns the leaf, which holds the request's key, and what parts of
	// its chain the issuer has, in no particular order. A *WaitingError says
	// that the same call has to be made again later; an error that matches
	// ErrOtherKey that there is a certificate, but for another key.
	Issue(ctx context.Context, request Request) ([]*x509.Certificate, error)
}

// Previewer is an Issuer that can tell without being asked how a request would
// end.
type Previewer interface {
	// Preview returns the error that Issue would return for a request of that key,
	// nil for a key that is still to be generated, and changes nothing. Of the request it
	// needs Email, Slot and Renews.
	Preview(request Request, public crypto.PublicKey) error
}

// Chainer is an Issuer that can be asked for its own certificates alone.
type Chainer interface {
	// Chain returns the CA's certificates, in no particular order.
	Chain(ctx context.Context) ([]*x509.Certificate, error)
}

var (
	// ErrOtherKey is a certificate whose key is not the request's.
	ErrOtherKey = errors.New("certificate is for another key")
	// ErrOtherRequest is a request file of another key in the way.
	ErrOtherRequest = errors.New("a request for another key is there already")
	// ErrRequest is a request that does not hold together.
	ErrRequest = errors.New("certificate request is not acceptable")
)

func (r Request) notice(what string) {
	if r.Notice != nil {
		r.Notice(what)
	}
}

// check parses the request and makes sure that it is signed with its own key and
// that its parts fit together.
func (r Request) check() (*x509.CertificateRequest, error) {
	if !safetext.IsAddress(r.Email) {
		return nil, fmt.Errorf("%w: %q is not an e-mail address", ErrRequest, r.Email)
	}
	if len(r.Slot) != 2 || strings.Trim(strings.ToLower(r.Slot), "0123456789abcdef") != "" {
		return nil, fmt.Errorf("%w: %q is not a slot", ErrRequest, r.Slot)
	}
	switch r.Use {
	case "", certificate.UseSign, certificate.UseEncrypt, certificate.UseBoth:
	default:
		return nil, fmt.Errorf("%w: unknown use %q", ErrRequest, r.Use)
	}
	csr, err := certificate.ParseRequest(r.CSR)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("%w: its signature: %w", ErrRequest, err)
	}
	return csr, nil
}

// leafFirst moves the newest certificate with that key to the front, and drops
// duplicates. It fails with ErrOtherKey when none has the key.
func leafFirst(certs []*x509.Certificate, key crypto.PublicKey) ([]*x509.Certificate, error) {
	var leaf *x509.Certificate
	for _, c := range certs {
		if certificate.SameKey(c.PublicKey, key) && (leaf == nil || c.NotBefore.After(leaf.NotBefore)) {
			leaf = c
		}
	}
	if leaf == nil {
		other := &OtherKeyError{Asked: describeKey(key), Got: "none"}
		if len(certs) > 0 {
			other.Got = describeKey(certs[0].PublicKey)
		}
		return nil, other
	}
	all := []*x509.Certificate{leaf}
next:
	for _, c := range certs {
		for _, seen := range all {
			if bytes.Equal(c.Raw, seen.Raw) {
				continue next
			}
		}
		all = append(all, c)
	}
	return all, nil
}
