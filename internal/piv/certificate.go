package piv

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// certificateError is returned for an object that is no certificate.
type certificateError struct{ err error }

func (e *certificateError) Error() string { return "not a readable certificate: " + e.err.Error() }
func (e *certificateError) Unwrap() error { return e.err }

// readCertificate returns the slot's certificate; pcsc.ErrNoObject where there
// is none, a *certificateError where it cannot be read.
func readCertificate(c *connection, slot Slot) (*x509.Certificate, error) {
	object, err := c.GetData(slot.object())
	if errors.Is(err, bertlv.ErrMalformed) || errors.Is(err, bertlv.ErrNotFound) {
		return nil, &certificateError{err} // the object itself, not the way to it
	}
	if err != nil {
		return nil, err
	}
	certificate, err := parseCertificateObject(object)
	if err != nil {
		return nil, &certificateError{err}
	}
	return certificate, nil
}

// PutCertificate stores a certificate in the slot, reads it back and compares.
// One that is there is lost; nothing here asks. Large ones are packed with gzip.
//
// Errors: ErrManagementKey, ErrCardFull, ErrCertificateTooLarge.
func (c *Card) PutCertificate(ctx context.Context, managementKey secret.Secret, slot Slot, certificate *x509.Certificate) error {
	if !slot.Valid() {
		return fmt.Errorf("%s is not a slot", slot)
	}
	object, err := certificateObject(certificate.Raw, maxObject(c.Identity().Firmware))
	if err != nil {
		return fmt.Errorf("packing a certificate: %w", err)
	}
	return c.do(ctx, "storing the certificate in slot "+slot.String(), func(connection *connection) error {
		if err := connection.authenticate(managementKey); err != nil {
			return err
		}
		return connection.put(slot.object(), object)
	})
}
