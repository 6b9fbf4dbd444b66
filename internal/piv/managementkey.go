package piv

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// ParseManagementKey reads a management key in hexadecimal: 32, 48 or 64 digits
// for 16, 24 or 32 bytes.
func ParseManagementKey(text secret.Secret) (secret.Secret, error) {
	raw := text.Reveal()
	defer clear(raw)
	digits := bytes.TrimSpace(raw)
	key := make([]byte, hex.DecodedLen(len(digits)))
	defer clear(key)
	if _, err := hex.Decode(key, digits); err != nil {
		return secret.Secret{}, fmt.Errorf("a management key is written in 32, 48 or 64 hexadecimal digits")
	}
	switch len(key) {
	case 16, 24, 32:
		return secret.New(key), nil
	}
	return secret.Secret{}, fmt.Errorf("a management key has 32, 48 or 64 hexadecimal digits, not %d", len(digits))
}

// NewManagementKey makes a random management key of 24 bytes, which fits 3DES
// and AES-192 alike.
func NewManagementKey() (secret.Secret, error) {
	key := make([]byte, 24)
	if _, err := rand.Read(key); err != nil {
		return secret.Secret{}, fmt.Errorf("making a management key: %w", err)
	}
	defer clear(key)
	return secret.New(key), nil
}

// NewPUK makes a random PUK of eight digits that nobody guesses.
func NewPUK() (secret.Secret, error) {
	for {
		puk, err := randomDigits()
		if err != nil || CheckNewPUK(puk) == nil {
			return puk, err
		}
	}
}

func randomDigits() (secret.Secret, error) {
	puk := make([]byte, 0, 8)
	defer func() { clear(puk) }()
	for len(puk) < cap(puk) {
		var b [1]byte
		if _, err := rand.Read(b[:]); err != nil {
			return secret.Secret{}, fmt.Errorf("making a PUK: %w", err)
		}
		// 250 is the largest multiple of ten in a byte: no digit is likelier.
		if b[0] < 250 {
			puk = append(puk, '0'+b[0]%10)
		}
	}
	return secret.New(puk), nil
}

// CheckManagementKey proves that the key is the card's. There is no counter: a
// wrong one costs nothing.
//
// Errors: ErrManagementKey.
func (c *Card) CheckManagementKey(ctx context.Context, key secret.Secret) error {
	return c.do(ctx, "checking the management key", func(connection *connection) error { return connection.authenticate(key) })
}

// ChangeManagementKey sets a new management key of 16, 24 or 32 bytes, given the
// old one. It becomes an AES key where the card knows AES (from firmware 5.4)
// and a 3DES key before.
//
// Errors: ErrManagementKey when old is wrong.
func (c *Card) ChangeManagementKey(ctx context.Context, old, new secret.Secret) error {
	return c.do(ctx, "changing the management key", func(connection *connection) error {
		algorithm, err := newKeyAlgorithm(connection.firmware, new.Len())
		if err != nil {
			return err
		}
		if err := connection.authenticate(old); err != nil {
			return err
		}
		return connection.setManagementKey(algorithm, new)
	})
}

// setManagementKey makes the key the card's; the old one must be authenticated.
func (c *connection) setManagementKey(algorithm pcsc.KeyAlgorithm, key secret.Secret) error {
	delete(c.metadata, pcsc.ReferenceManagementKey)
	c.managementKey = secret.Secret{}
	raw := key.Reveal()
	defer clear(raw)
	return c.SetManagementKey(algorithm, raw)
}

func newKeyAlgorithm(firmware Version, length int) (pcsc.KeyAlgorithm, error) {
	candidates := []pcsc.KeyAlgorithm{pcsc.TripleDES}
	if firmware.AtLeast(5, 4, 0) {
		candidates = []pcsc.KeyAlgorithm{pcsc.AES192, pcsc.AES128, pcsc.AES256}
	}
	for _, algorithm := range candidates {
		if algorithm.KeyLength() == length {
			return algorithm, nil
		}
	}
	return 0, fmt.Errorf("a card with firmware %s takes no management key of %d bytes", firmware, length)
}

// authenticate proves the management key, unless this very one was proven before
// on the same connection.
func (c *connection) authenticate(key secret.Secret) error {
	if !c.managementKey.IsZero() && c.managementKey.Equal(key) {
		return nil
	}
	algorithm := pcsc.TripleDES
	if c.firmware.hasMetadata() {
		metadata, err := c.Metadata(pcsc.ReferenceManagementKey)
		if err != nil {
			return err
		}
		algorithm = pcsc.KeyAlgorithm(metadata.Algorithm)
	}
	raw := key.Reveal()
	defer clear(raw)
	c.accepted, c.managementKey = true, secret.Secret{}
	if err := c.Authenticate(algorithm, raw); err != nil {
		return err
	}
	c.managementKey = key
	return nil
}
