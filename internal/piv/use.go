package piv

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// touchTime is how long a YubiKey waits for a finger.
const touchTime = 15 * time.Second

// use does one thing with a private key: the PIN is verified first on the same
// connection, never without looking at its counter. A zero PIN is not verified.
func use[T any](ctx context.Context, c *Card, doing string, slot Slot, pin secret.Secret, work func(yubikey) (T, error)) (T, error) {
	remind := &reminder{began: make(chan struct{}, 1), after: c.options.TouchDelay, call: func() {
		if c.options.OnTouch != nil {
			c.options.OnTouch(slot)
		}
	}}
	doing = fmt.Sprintf("%s with the key in slot %s", doing, slot)
	return with(ctx, c, doing, c.options.CallTimeout, remind, func(connection *connection) (T, error) {
		var zero T
		policy, touch, err := connection.policies(slot)
		if err != nil {
			return zero, err
		}
		if err := c.unlock(connection, policy, pin); err != nil {
			return zero, err
		}
		limit := c.options.AnswerTimeout
		if touch.mayTouch() {
			limit += touchTime
			remind.began <- struct{}{}
		}
		result, err := within(ctx, connection, limit, func() (T, error) { return work(connection.key) })
		return result, useError(err, touch, pin)
	})
}

// unlock verifies the PIN for a key with that policy: once for the connection
// where that is enough, else each time. Without a PIN nothing is verified.
func (c *Card) unlock(connection *connection, policy PINPolicy, pin secret.Secret) error {
	again := connection.pin.Equal(pin) && !pin.IsZero()
	switch {
	case pin.IsZero() && connection.accepted:
		return connection.reset() // what was proven for something else does not count
	case pin.IsZero():
		return nil
	case again && policy == PINOnce:
		return nil
	case again: // its counter is full
		return connection.verify(pin)
	}
	return c.verify(connection, pin)
}

// useError says what it means that the card is not satisfied: the PIN was not
// given, or, where it was, nobody touched the card in its 15 seconds.
func useError(err error, touch TouchPolicy, pin secret.Secret) error {
	status, ok := statusOf(err)
	switch {
	case !ok || status != pcsc.SecurityNotSatisfied:
		return err
	case pin.IsZero():
		return fmt.Errorf("%w: %w", ErrPINRequired, err)
	case touch.mayTouch():
		return fmt.Errorf("%w: %w", ErrTouchTimeout, err)
	}
	return err
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
// with PKCS#1 v1.5 or PSS, ECDSA and Ed25519. A zero PIN is not verified, for
// keys that ask for none. Each signature is checked against the public key before
// it is returned.
//
// Errors of Sign: those of VerifyPIN, ErrPINRequired, ErrTouchTimeout,
// ErrEmptySlot (from firmware 5.3), ErrKeyMismatch.
func (c *Card) Signer(ctx context.Context, slot Slot, public crypto.PublicKey, pin secret.Secret) crypto.Signer {
	return &signer{ctx, c, slot, public, pin}
}

// Public returns the public key.
func (s *signer) Public() crypto.PublicKey { return s.public }

// Sign signs a digest on the card; the random source is the card's own.
func (s *signer) Sign(_ io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	return use(s.ctx, s.card, "signing", s.slot, s.pin, func(key yubikey) ([]byte, error) {
		signature, err := key.sign(s.slot, s.public, wide(s.public, digest), options)
		if err != nil {
			return nil, err
		}
		if !verifies(s.public, digest, signature, options) {
			return nil, fmt.Errorf("%w: the signature does not fit the public key", ErrKeyMismatch)
		}
		return signature, nil
	})
}

// wide puts zeros in front of a digest that is shorter than the order of the
// curve, which is the same number (FIPS 186-5 §6.4.1): cards want the full width.
func wide(public crypto.PublicKey, digest []byte) []byte {
	key, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return digest
	}
	size := (key.Curve.Params().BitSize + 7) / 8
	if len(digest) >= size {
		return digest
	}
	return append(make([]byte, size-len(digest)), digest...)
}

func verifies(public crypto.PublicKey, digest, signature []byte, options crypto.SignerOpts) bool {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if pss, ok := options.(*rsa.PSSOptions); ok {
			return rsa.VerifyPSS(key, options.HashFunc(), digest, signature, pss) == nil
		}
		return rsa.VerifyPKCS1v15(key, options.HashFunc(), digest, signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest, signature)
	case ed25519.PublicKey:
		return ed25519.Verify(key, digest, signature)
	}
	return false
}

// Decrypt decrypts what was encrypted to an RSA key with PKCS#1 v1.5 padding;
// piv-go knows no other. A zero PIN is not verified. Errors as Signer's.
func (c *Card) Decrypt(ctx context.Context, slot Slot, public crypto.PublicKey, pin secret.Secret, ciphertext []byte) ([]byte, error) {
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("decrypting with the key in slot %s: a %T does not decrypt", slot, public)
	}
	if len(ciphertext) != key.Size() {
		return nil, fmt.Errorf("decrypting with the key in slot %s: %d bytes, an RSA key of that size takes %d", slot, len(ciphertext), key.Size())
	}
	return use(ctx, c, "decrypting", slot, pin, func(key yubikey) ([]byte, error) {
		return key.decrypt(slot, public, ciphertext)
	})
}

// ECDH agrees on a secret with a peer's public key on the same curve (SP 800-56A
// section 5.7.1.2): the x-coordinate, big-endian, or RFC 7748's output. A zero
// PIN is not verified. Errors as Signer's.
func (c *Card) ECDH(ctx context.Context, slot Slot, public crypto.PublicKey, pin secret.Secret, peer *ecdh.PublicKey) ([]byte, error) {
	if peer == nil {
		return nil, errors.New("agreeing on a key: no public key of the peer")
	}
	return use(ctx, c, "agreeing on a key", slot, pin, func(key yubikey) ([]byte, error) {
		return key.ecdh(slot, public, peer)
	})
}
