package piv

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// Attest has the card certify the slot's key. It returns the certificate that
// the card made for the key, and the card's own attestation certificate of slot
// F9, which signed it. Nothing is verified here: that is package attestation's.
//
// Errors: ErrNotAttestable for an imported key and for an empty slot, which is
// ErrEmptySlot as well from firmware 5.3.
func (c *Card) Attest(ctx context.Context, slot Slot) (slotCert, deviceCert *x509.Certificate, err error) {
	certificates, err := reading(ctx, func() ([2]*x509.Certificate, error) {
		return withKey(ctx, c, "attesting the key in slot "+slot.String(), c.options.CallTimeout, nil, func(key yubikey) ([2]*x509.Certificate, error) {
			return attest(key, slot)
		})
	})
	return certificates[0], certificates[1], err
}

// attest returns the slot's and the card's certificate.
func attest(key yubikey, slot Slot) ([2]*x509.Certificate, error) {
	attested, err := key.attest(slot)
	if status, ok := statusOf(err); errors.Is(err, errNotFound) || ok && status == pcsc.WrongData {
		return [2]*x509.Certificate{}, fmt.Errorf("%w: %w", ErrNotAttestable, whyNotAttestable(key, slot, err))
	}
	if err != nil {
		return [2]*x509.Certificate{}, err
	}
	device, err := key.attestationCertificate()
	if err != nil {
		return [2]*x509.Certificate{}, fmt.Errorf("reading the card's attestation certificate: %w", err)
	}
	return [2]*x509.Certificate{attested, device}, nil
}

// whyNotAttestable tells an empty slot from an imported key, where the card does.
func whyNotAttestable(key yubikey, slot Slot, err error) error {
	_, metadataErr := key.touchPolicy(slot)
	if status, ok := statusOf(metadataErr); ok && (status == pcsc.ReferenceNotFound || status == pcsc.NotFound) {
		return ErrEmptySlot
	}
	return err
}
