package piv

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// A certificate object: SP 800-73-4 part 1, appendix A, table 10.
const (
	tagCertificate bertlv.Tag = 0x70
	tagCertInfo    bertlv.Tag = 0x71 // bit 0: the certificate is gzip
	tagErrorCode   bertlv.Tag = 0xFE // empty
	certInfoGzip              = 0x01
)

// maxCertificate is the most that a certificate may unpack to, in bytes: the
// largest object of a YubiKey has 3,052, so more is a bomb.
const maxCertificate = 64 << 10

// maxObject is the room of a certificate object in bytes: 3,052 on YubiKeys of
// firmware 4 and later, 2,025 before.
func maxObject(firmware Version) int {
	if firmware.AtLeast(4, 0, 0) {
		return 3052
	}
	return 2025
}

// certificateError is an object that is no certificate.
type certificateError struct{ err error }

func (e *certificateError) Error() string { return "not a readable certificate: " + e.err.Error() }
func (e *certificateError) Unwrap() error { return e.err }

// readCertificate returns the slot's certificate; pcsc.ErrNoObject where there
// is none, a *certificateError where it cannot be read.
func readCertificate(s *session, slot Slot) (*x509.Certificate, error) {
	object, err := s.GetData(slot.object())
	if err != nil {
		return nil, err
	}
	certificate, err := parseCertificateObject(object)
	if err != nil {
		return nil, &certificateError{err}
	}
	return certificate, nil
}

func parseCertificateObject(object []byte) (*x509.Certificate, error) {
	der, err := bertlv.Find(object, tagCertificate)
	if err != nil {
		return nil, err
	}
	if info, err := bertlv.Find(object, tagCertInfo); err == nil && len(info) > 0 && info[0]&certInfoGzip != 0 {
		if der, err = gunzip(der); err != nil {
			return nil, err
		}
	}
	return x509.ParseCertificate(der)
}

func gunzip(packed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(reader, maxCertificate+1))
	if err != nil {
		return nil, err
	}
	if len(plain) > maxCertificate {
		return nil, fmt.Errorf("it unpacks to more than %d bytes", maxCertificate)
	}
	return plain, nil
}

// certificateObject frames a certificate for an object with that much room. It
// is packed only where it must be, because not every program unpacks it.
func certificateObject(der []byte, room int) ([]byte, error) {
	if object := frame(der, 0); len(object) <= room {
		return object, nil
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, err := writer.Write(der)
	if err := errors.Join(err, writer.Close()); err != nil {
		return nil, err
	}
	object := frame(packed.Bytes(), certInfoGzip)
	if len(object) > room {
		return nil, fmt.Errorf("%w: it takes %d bytes when packed, and an object has %d", ErrCertificateTooLarge, len(object), room)
	}
	return object, nil
}

func frame(certificate []byte, info byte) []byte {
	object := bertlv.Append(nil, tagCertificate, certificate...)
	object = bertlv.Append(object, tagCertInfo, info)
	return bertlv.Append(object, tagErrorCode)
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
