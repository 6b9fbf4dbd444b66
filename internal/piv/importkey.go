package piv

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// ImportOptions say when an imported key asks for the PIN and for a touch; zero policies are the
// defaults of GenerateOptions.
type ImportOptions struct {
	PINPolicy   PINPolicy
	TouchPolicy TouchPolicy
}

// ImportKey puts a private key that was made elsewhere into the slot: RSA, or ECDSA on P-256 or
// P-384. A key that is there is lost for ever; nothing here asks. The card attests no such key.
// From firmware 5.3 the slot is read back and compared.
//
// Errors: ErrManagementKey, and those of CheckImport.
func (c *Card) ImportKey(ctx context.Context, managementKey secret.Secret, slot Slot, key crypto.Signer, options ImportOptions) error {
	if !slot.Valid() {
		return fmt.Errorf("%s is not a slot", slot)
	}
	if err := CheckImport(c.Identity().Firmware, key); err != nil {
		return err
	}
	algorithm, _ := AlgorithmOf(key.Public())
	pin, touch := options.PINPolicy.In(slot).onCard(), options.TouchPolicy.Effective().onCard()
	if pin == 0 || touch == 0 {
		return fmt.Errorf("a key with PIN policy %q and touch policy %q cannot be imported", options.PINPolicy, options.TouchPolicy)
	}
	parts, err := partsOf(key)
	if err != nil {
		return err
	}
	defer func() {
		for _, part := range parts {
			clear(part.Value)
		}
	}()
	return c.do(ctx, "importing a key into slot "+slot.String(), func(connection *connection) error {
		if err := connection.authenticate(managementKey); err != nil {
			return err
		}
		connection.forget(slot)
		if err := connection.Applet.ImportKey(byte(slot), algorithm.onCard(), pin, touch, parts); err != nil {
			return err
		}
		if !connection.firmware.hasMetadata() {
			return nil
		}
		held, err := readKey(connection, slot)
		if err != nil {
			return fmt.Errorf("reading it back: %w", err)
		}
		if public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); held == nil || !ok || !public.Equal(held.PublicKey) {
			return ErrKeyMismatch
		}
		return nil
	})
}

// CheckImport reports an *UnsupportedError when a card with that firmware cannot be given the private
// key. It is asked before anything on the card is changed.
func CheckImport(firmware Version, key crypto.Signer) error {
	algorithm, known := AlgorithmOf(key.Public())
	if !known {
		return &UnsupportedError{Firmware: firmware, Reason: "no card has keys of that kind"}
	}
	if err := Supports(firmware, algorithm); err != nil {
		return err
	}
	reason := ""
	switch key := key.(type) {
	case *rsa.PrivateKey:
		half := 4 * key.Size() // bits
		switch {
		case len(key.Primes) != 2 || key.E != 65537:
			reason = "an RSA key has to have two primes and the exponent 65537"
		case key.Primes[0].BitLen() > half || key.Primes[1].BitLen() > half:
			reason = "an RSA key has to have primes of half its length"
		}
	case *ecdsa.PrivateKey:
	default:
		reason = "it signs, and decrypts nothing"
	}
	if reason != "" {
		return &UnsupportedError{Firmware: firmware, Algorithm: algorithm, Reason: reason}
	}
	return nil
}

// partsOf returns the parts of a key that CheckImport has no objection to, as the card takes them,
// all of full length.
func partsOf(key crypto.Signer) ([]bertlv.Element, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		key.Precompute()
		half := key.Size() / 2
		crt := key.Precomputed
		if crt.Dp == nil {
			return nil, errors.New("an RSA key whose parts do not belong together cannot be imported")
		}
		parts := make([]bertlv.Element, 0, 5)
		for i, number := range []interface{ FillBytes([]byte) []byte }{key.Primes[0], key.Primes[1], crt.Dp, crt.Dq, crt.Qinv} {
			parts = append(parts, bertlv.Element{Tag: bertlv.Tag(1 + i), Value: number.FillBytes(make([]byte, half))})
		}
		return parts, nil
	case *ecdsa.PrivateKey:
		scalar, err := key.Bytes()
		if err != nil {
			return nil, fmt.Errorf("a key that cannot be imported: %w", err)
		}
		return []bertlv.Element{{Tag: 6, Value: scalar}}, nil
	}
	return nil, fmt.Errorf("a key of type %T cannot be imported", key)
}
