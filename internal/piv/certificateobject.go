package piv

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
)

// A certificate object: SP 800-73-4 part 1, appendix A, table 10. MSCUID (72) and
// whatever else an issuer put there is of no interest.
const (
	tagCertificate bertlv.Tag = 0x70
	tagCertInfo    bertlv.Tag = 0x71 // bit 0: the certificate is packed
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

// parseCertificateObject reads a certificate out of the contents of a data
// object. Whether it is packed is seen by how it begins, because CertInfo is left
// out or wrong on some cards.
func parseCertificateObject(object []byte) (*x509.Certificate, error) {
	stored, err := storedCertificate(object)
	if err != nil {
		return nil, err
	}
	der, err := unpack(stored)
	if err != nil {
		return nil, err
	}
	var whole asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &whole); err == nil && len(rest) > 0 {
		return nil, trailingError(len(rest))
	}
	return certificate.ParseDER(der)
}

// storedCertificate returns the value of the object's only tag 70. Bytes 00
// before, between and after elements mean nothing (ISO/IEC 7816-4 section 5.2).
func storedCertificate(object []byte) (stored []byte, err error) {
	found := false
	for rest := bytes.TrimLeft(object, "\x00"); len(rest) > 0; rest = bytes.TrimLeft(rest, "\x00") {
		var element bertlv.Element
		if element, rest, err = bertlv.Next(rest); err != nil {
			return nil, fmt.Errorf("the object has another length than it says: %w", err)
		}
		if element.Tag != tagCertificate {
			continue
		}
		if found {
			return nil, errors.New("the object holds two certificates")
		}
		stored, found = element.Value, true
	}
	if !found {
		return nil, errors.New("the object holds something else")
	}
	return stored, nil
}

// How packed certificates begin: RFC 1952 section 2.3.1, RFC 1950 section 2.2 (with the usual
// window of 32 KiB), and what Net iD writes before the length in two bytes, little-endian, and
// such a zlib stream.
var (
	gzipMark  = []byte{0x1F, 0x8B}
	zlibMark  = []byte{0x78}
	netIDMark = []byte{0x01, 0x00}
)

func unpack(stored []byte) ([]byte, error) {
	switch {
	case len(stored) == 0:
		return nil, errors.New("the object holds no bytes of a certificate")
	case stored[0] == 0x30: // SEQUENCE: a certificate as it is
		return stored, nil
	case bytes.HasPrefix(stored, gzipMark):
		der, err := inflate(stored, func(r io.Reader) (io.Reader, error) {
			reader, err := gzip.NewReader(r)
			if err == nil {
				reader.Multistream(false)
			}
			return reader, err
		})
		if err != nil {
			return nil, fmt.Errorf("a certificate packed with gzip: %w", err)
		}
		return der, nil
	case bytes.HasPrefix(stored, zlibMark):
		der, err := inflate(stored, newZlibReader)
		if err != nil {
			return nil, fmt.Errorf("a certificate packed with zlib: %w", err)
		}
		return der, nil
	case bytes.HasPrefix(stored, netIDMark) && len(stored) > 4:
		der, err := inflate(stored[4:], newZlibReader)
		if err != nil {
			return nil, fmt.Errorf("a Net iD certificate: %w", err)
		}
		if says := binary.LittleEndian.Uint16(stored[2:]); int(says) != len(der) {
			return nil, fmt.Errorf("a Net iD certificate whose length is wrong: it says %d bytes and has %d", says, len(der))
		}
		return der, nil
	}
	return nil, fmt.Errorf("neither a certificate nor one that is packed with gzip, with zlib or as Net iD does: it begins with % X", stored[:min(4, len(stored))])
}

func newZlibReader(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }

// inflate reads one whole stream and not more of it than a certificate may have.
func inflate(packed []byte, open func(io.Reader) (io.Reader, error)) ([]byte, error) {
	source := bytes.NewReader(packed)
	stream, err := open(source)
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(stream, maxCertificate+1))
	switch {
	case err != nil:
		return nil, err
	case len(plain) > maxCertificate:
		return nil, fmt.Errorf("it unpacks to more than %d KiB", maxCertificate>>10)
	case source.Len() > 0:
		return nil, trailingError(source.Len())
	}
	return plain, nil
}

func trailingError(n int) error {
	if n == 1 {
		return errors.New("a byte follows the certificate")
	}
	return fmt.Errorf("%d bytes follow the certificate", n)
}

// Packing is how a certificate goes onto a card.
type Packing struct {
	Gzip bool // it has to be packed, which not every program can read
	Size int  // of the certificate in bytes
	Room int  // the bytes that a certificate may have to be stored as it is
}

// PackingOf tells how a certificate would be stored on a card with that firmware.
// The error is ErrCertificateTooLarge where it does not fit even when packed.
func PackingOf(firmware Version, certificate *x509.Certificate) (Packing, error) {
	room := maxObject(firmware)
	object, err := certificateObject(certificate.Raw, room)
	if err != nil {
		return Packing{}, err
	}
	plain := frame(certificate.Raw, 0)
	return Packing{
		Gzip: !bytes.Equal(object, plain), Size: len(certificate.Raw), Room: room - (len(plain) - len(certificate.Raw)),
	}, nil
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
