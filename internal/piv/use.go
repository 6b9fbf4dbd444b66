package piv

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"fmt"
	"io"
	"time"

	"github.com/cse-piv/cse-piv/internal/secret"
)

// touchDelay is how long an operation must be out before a person is told to
// touch the card.
const touchDelay = 500 * time.Millisecond

// use does one thing with a private key: the PIN is verified first in the same
// session, never without looking at its counter.
func use[T any](ctx context.Context, c *Card, doing string, slot Slot, pin secret.Secret, work func(yubikey) (T, error)) (T, error) {
	var remind *reminder
	began := func() {}
	if c.options.OnTouch != nil && c.touchPolicyOf(slot).mayTouch() {
		remind = &reminder{began: make(chan struct{}, 1), after: touchDelay, call: func() { c.options.OnTouch(slot) }}
		began = func() { remind.began <- struct{}{} }
	}
	return withKey(ctx, c, fmt.Sprintf("%s with the key in slot %s", doing, slot), c.options.CallTimeout, remind, func(key yubikey) (T, error) {
		var zero T
		if !pin.IsZero() {
			if err := c.verify(key, pin); err != nil {
				return zero, err
			}
		}
		began()
		return work(key)
	})
}

func (c *Card) touchPolicyOf(slot Slot) TouchPolicy {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.touch[slot]
}

// signer is a key on a card for crypto/x509.
type signer struct {
	ctx    context.Context
	card   *Card
	slot   Slot
	public crypto.PublicKey
	pin    secret.Secret
}

// Signer returns the slot's key as a crypto.Signer, bound to the context: RSA
// with PKCS#1 v1.5 or PSS, ECDSA and Ed25519. A zero PIN is not verified. Each
// signature finds the card anew; its errors are those of VerifyPIN.
func (c *Card) Signer(ctx context.Context, slot Slot, public crypto.PublicKey, pin secret.Secret) crypto.Signer {
	return &signer{ctx, c, slot, public, pin}
}

// Public returns the public key.
func (s *signer) Public() crypto.PublicKey { return s.public }

// Sign signs a digest on the card; the random source is the card's own.
func (s *signer) Sign(_ io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	return use(s.ctx, s.card, "signing", s.slot, s.pin, func(key yubikey) ([]byte, error) {
		return key.sign(s.slot, s.public, digest, options)
	})
}

// Decrypt decrypts what was encrypted to an RSA key with PKCS#1 v1.5 padding;
// piv-go knows no other.
func (c *Card) Decrypt(ctx context.Context, slot Slot, public crypto.PublicKey, pin secret.Secret, ciphertext []byte) ([]byte, error) {
	return use(ctx, c, "decrypting", slot, pin, func(key yubikey) ([]byte, error) {
		return key.decrypt(slot, public, ciphertext)
	})
}

// ECDH agrees on a secret with a peer's public key on the same curve (SP 800-56A
// section 5.7.1.2): the x-coordinate, big-endian, or RFC 7748's output.
func (c *Card) ECDH(ctx context.Context, slot Slot, public crypto.PublicKey, pin secret.Secret, peer *ecdh.PublicKey) ([]byte, error) {
	return use(ctx, c, "agreeing on a key", slot, pin, func(key yubikey) ([]byte, error) {
		return key.ecdh(slot, public, peer)
	})
}
