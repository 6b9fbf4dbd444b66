//go:build windows || (cgo && (linux || darwin))

package piv

import (
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	pivgo "github.com/go-piv/piv-go/v2/piv"
)

// held is a YubiKey opened by piv-go.
type held struct{ *pivgo.YubiKey }

func openYubiKey(reader string) (yubikey, error) {
	key, err := pivgo.Open(reader)
	if err != nil {
		return nil, err
	}
	return held{key}, nil
}

// close lets go of the card; after an error it is gone, and so is the connection.
func (h held) close() { h.Close() }

func (h held) serial() (uint32, error) { return h.Serial() }

func (h held) pinTries() (int, bool, error) {
	tries, err := h.Retries()
	if err != nil && strings.Contains(err.Error(), "expected error code from empty pin") {
		return 0, true, nil
	}
	return tries, false, err
}

func (h held) verifyPIN(pin []byte) error { return h.VerifyPIN(string(pin)) }

func (h held) changePIN(old, new []byte) error { return h.SetPIN(string(old), string(new)) }

func (h held) changePUK(old, new []byte) error { return h.SetPUK(string(old), string(new)) }

func (h held) generate(managementKey []byte, slot Slot, options GenerateOptions) (crypto.PublicKey, error) {
	key, err := pivgoKey(slot, options)
	if err != nil {
		return nil, err
	}
	public, err := h.GenerateKey(managementKey, pivgoSlot(slot), key)
	if err != nil && refusedManagementKey(err) {
		return nil, fmt.Errorf("%w: %w", ErrManagementKey, err)
	}
	return public, err
}

// refusedManagementKey tells a management key that the card did not take from
// other failures: piv-go's text says in which part it failed, and the status
// word or the text how.
func refusedManagementKey(err error) bool {
	text := err.Error()
	if !strings.Contains(text, "authenticating with management key") {
		return false
	}
	if status, ok := statusOf(err); ok {
		return status == 0x6982 || status == 0x6A80
	}
	return strings.Contains(text, "challenge failed") || strings.Contains(text, "invalid management key length")
}

func (h held) attest(slot Slot) (*x509.Certificate, error) {
	certificate, err := h.Attest(pivgoSlot(slot))
	if errors.Is(err, pivgo.ErrNotFound) {
		return nil, errNotFound
	}
	return certificate, err
}

func (h held) attestationCertificate() (*x509.Certificate, error) {
	return h.AttestationCertificate()
}

func (h held) touchPolicy(slot Slot) (TouchPolicy, error) {
	info, err := h.KeyInfo(pivgoSlot(slot))
	if err != nil {
		return TouchUnknown, err
	}
	switch info.TouchPolicy {
	case pivgo.TouchPolicyNever:
		return TouchNever, nil
	case pivgo.TouchPolicyAlways:
		return TouchAlways, nil
	case pivgo.TouchPolicyCached:
		return TouchCached, nil
	}
	return TouchUnknown, nil
}

// private returns the key for an operation. The PIN was verified before, so
// piv-go is told that none is needed.
func (h held) private(slot Slot, public crypto.PublicKey) (crypto.PrivateKey, error) {
	return h.PrivateKey(pivgoSlot(slot), public, pivgo.KeyAuth{PINPolicy: pivgo.PINPolicyNever})
}

func (h held) sign(slot Slot, public crypto.PublicKey, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	private, err := h.private(slot, public)
	if err != nil {
		return nil, err
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T cannot sign", public)
	}
	return signer.Sign(rand.Reader, digest, options)
}

func (h held) decrypt(slot Slot, public crypto.PublicKey, ciphertext []byte) ([]byte, error) {
	private, err := h.private(slot, public)
	if err != nil {
		return nil, err
	}
	decrypter, ok := private.(crypto.Decrypter)
	if !ok {
		return nil, fmt.Errorf("a %T cannot decrypt", public)
	}
	return decrypter.Decrypt(rand.Reader, ciphertext, nil)
}

func (h held) ecdh(slot Slot, public crypto.PublicKey, peer *ecdh.PublicKey) ([]byte, error) {
	private, err := h.private(slot, public)
	if err != nil {
		return nil, err
	}
	switch key := private.(type) {
	case *pivgo.ECDSAPrivateKey:
		return key.ECDH(peer)
	case *pivgo.X25519PrivateKey:
		return key.ECDH(peer)
	}
	return nil, fmt.Errorf("a %T cannot agree on a key", public)
}

func pivgoSlot(slot Slot) pivgo.Slot {
	return pivgo.Slot{Key: uint32(slot), Object: uint32(slot.object())}
}

func pivgoKey(slot Slot, options GenerateOptions) (pivgo.Key, error) {
	pin := options.PINPolicy
	if pin == "" || pin == PINDefault {
		pin = slot.defaultPINPolicy()
	}
	touch := options.TouchPolicy
	if touch == "" || touch == TouchDefault {
		touch = TouchNever
	}
	key := pivgo.Key{
		Algorithm: map[Algorithm]pivgo.Algorithm{
			RSA1024: pivgo.AlgorithmRSA1024, RSA2048: pivgo.AlgorithmRSA2048,
			RSA3072: pivgo.AlgorithmRSA3072, RSA4096: pivgo.AlgorithmRSA4096,
			ECCP256: pivgo.AlgorithmEC256, ECCP384: pivgo.AlgorithmEC384,
			Ed25519: pivgo.AlgorithmEd25519, X25519: pivgo.AlgorithmX25519,
		}[options.Algorithm],
		PINPolicy: map[PINPolicy]pivgo.PINPolicy{
			PINNever: pivgo.PINPolicyNever, PINOnce: pivgo.PINPolicyOnce, PINAlways: pivgo.PINPolicyAlways,
		}[pin],
		TouchPolicy: map[TouchPolicy]pivgo.TouchPolicy{
			TouchNever: pivgo.TouchPolicyNever, TouchAlways: pivgo.TouchPolicyAlways, TouchCached: pivgo.TouchPolicyCached,
		}[touch],
	}
	if key.Algorithm == 0 || key.PINPolicy == 0 || key.TouchPolicy == 0 {
		return pivgo.Key{}, fmt.Errorf("a %s key with PIN policy %q and touch policy %q cannot be generated", options.Algorithm, pin, touch)
	}
	return key, nil
}
