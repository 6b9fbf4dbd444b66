package piv

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// certificateError is an object that is no certificate.
type certificateError struct{ err error }

func (e *certificateError) Error() string { return "not a readable certificate: " + e.err.Error() }
func (e *certificateError) Unwrap() error { return e.err }

// readCertificate returns the slot's certificate; pcsc.ErrNoObject where there
// is none, a *certificateError where it cannot be read.
func readCertificate(s *session, slot Slot) (*x509.Certificate, error) {
	object, err := s.GetData(slot.object())
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
	return c.withManagementKey(ctx, "storing the certificate in slot "+slot.String(), managementKey, func(s *session, _ pcsc.KeyAlgorithm) error {
		if err := s.PutData(slot.object(), object); err != nil {
			return err
		}
		stored, err := readCertificate(s, slot)
		if err != nil {
			return fmt.Errorf("reading it back: %w", err)
		}
		if !bytes.Equal(stored.Raw, certificate.Raw) {
			return errors.New("the card gives back another certificate than was stored")
		}
		return nil
	})
}
