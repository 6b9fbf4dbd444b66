//go:build windows || (cgo && (linux || darwin))

package piv

import (
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"fmt"

	pivgo "github.com/go-piv/piv-go/v2/piv"
)

// opened is a YubiKey opened by piv-go.
type opened struct{ *pivgo.YubiKey }

func openYubiKey(reader string) (yubikey, error) {
	key, err := pivgo.Open(reader)
	if err != nil {
		return nil, err
	}
	return opened{key}, nil
}

// close releases the card; after an error it is gone, and so is the connection.
func (h opened) close() { h.Close() }

func (h opened) firmware() Version {
	version := h.Version()
	return Version{version.Major, version.Minor, version.Patch}
}

func (h opened) changePIN(old, new []byte) error { return h.SetPIN(string(old), string(new)) }

func (h opened) changePUK(old, new []byte) error  { return h.SetPUK(string(old), string(new)) }
func (h opened) unblockPIN(puk, new []byte) error { return h.Unblock(string(puk), string(new)) }

// private returns the key for an operation. The PIN was verified before, so
// piv-go is told that none is needed.
func (h opened) private(slot Slot, public crypto.PublicKey) (crypto.PrivateKey, error) {
	return h.PrivateKey(pivgoSlot(slot), public, pivgo.KeyAuth{PINPolicy: pivgo.PINPolicyNever})
}

func (h opened) sign(slot Slot, public crypto.PublicKey, digest []byte, options crypto.SignerOpts) ([]byte, error) {
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

func (h opened) decrypt(slot Slot, public crypto.PublicKey, ciphertext []byte) ([]byte, error) {
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

func (h opened) ecdh(slot Slot, public crypto.PublicKey, peer *ecdh.PublicKey) ([]byte, error) {
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
