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
// Errors: ErrNotAttestable for an imported key, and an *EmptySlotError for an empty slot and, before
// firmware 5.3, for one that may hold an imported key; ErrCannotAttest before firmware 4.3.
func (c *Card) Attest(ctx context.Context, slot Slot) (slotCert, deviceCert *x509.Certificate, err error) {
	certificates, err := reading(ctx, c, "attesting the key in slot "+slot.String(), func(connection *connection) ([2]*x509.Certificate, error) {
		return connection.attest(slot)
	})
	return certificates[0], certificates[1], err
}

// attest returns the slot's and the card's certificate.
func (c *connection) attest(slot Slot) (certificates [2]*x509.Certificate, err error) {
	if !c.firmware.Attests() {
		return certificates, ErrCannotAttest
	}
	der, err := c.Attest(slot)
	if errors.Is(err, pcsc.WrongData) {
		if !c.firmware.hasMetadata() {
			return certificates, &EmptySlotError{Unknown: true}
		}
		if _, _, policyErr := c.policies(slot); errors.Is(policyErr, ErrEmptySlot) {
			return certificates, &EmptySlotError{}
		}
		return certificates, fmt.Errorf("%w: %w", ErrNotAttestable, err)
	}
	if err != nil {
		return certificates, err
	}
	if certificates[0], err = x509.ParseCertificate(der); err != nil {
		return certificates, fmt.Errorf("%w: the attestation: %w", ErrBroken, err)
	}
	object, err := c.GetData(pcsc.ObjectAttestation)
	if err == nil {
		certificates[1], err = parseCertificateObject(object)
	}
	if err != nil {
		return certificates, fmt.Errorf("reading the card's attestation certificate: %w", err)
	}
	return certificates, nil
}
