package attestation

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math"
	"math/big"
)

// Lengths in octets of the raw extension values.
const (
	firmwareLen   = 3
	keyPolicyLen  = 2
	formFactorLen = 1
)

// Bits of the form factor octet.
const (
	formFactorFIPS = 0x80
	formFactorMask = 0x3f
)

// arc is Yubico's arc for PIV attestation, 1.3.6.1.4.1.41482.3, with one
// identifier appended.
func arc(last int) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 41482, 3, last}
}

// Last identifiers of the extensions under arc.
const (
	extFirmware   = 3  // 3 octets: major, minor, patch
	extSerial     = 7  // DER INTEGER
	extKeyPolicy  = 8  // 2 octets: PIN policy, touch policy
	extFormFactor = 9  // 1 octet
	extFIPS       = 10 // on the device certificate: FIPS certified
	extCSPN       = 11 // on the device certificate: CSPN certified
)

// version is a firmware version.
type version struct{ major, minor, patch byte }

func (v version) String() string { return fmt.Sprintf("%d.%d.%d", v.major, v.minor, v.patch) }

// less tells whether v is older than w.
func (v version) less(w version) bool {
	if v.major != w.major {
		return v.major < w.major
	}
	if v.minor != w.minor {
		return v.minor < w.minor
	}
	return v.patch < w.patch
}

// statement is what a slot certificate's extensions say about a key.
type statement struct {
	firmware    version
	serial      uint32 // 0 where the firmware does not tell
	pinPolicy   string
	touchPolicy string
	formFactor  byte // 0 where the firmware does not tell
}

// firstWithSerial is the firmware whose attestations began to tell the card's
// serial number and form factor.
var firstWithSerial = version{5, 0, 0}

// parseStatement reads the extensions of a slot certificate. Firmware, key
// policy and, from firmware 5.0 on, serial number must be there.
func parseStatement(cert *x509.Certificate) (statement, error) {
	var s statement
	raw, err := requireExtension(cert, extFirmware, "firmware version")
	if err != nil {
		return s, err
	}
	if len(raw) != firmwareLen {
		return s, fmt.Errorf("%w: firmware version of %d octets", ErrMalformedExtension, len(raw))
	}
	s.firmware = version{raw[0], raw[1], raw[2]}

	raw, told := extension(cert, extSerial)
	if !told && !s.firmware.less(firstWithSerial) {
		return s, missing(extSerial, "serial number")
	}
	if told {
		if s.serial, err = parseSerial(raw); err != nil {
			return s, err
		}
	}

	if raw, err = requireExtension(cert, extKeyPolicy, "PIN and touch policy"); err != nil {
		return s, err
	}
	if s.pinPolicy, s.touchPolicy, err = parseKeyPolicy(raw); err != nil {
		return s, err
	}

	if raw, ok := extension(cert, extFormFactor); ok {
		if len(raw) != formFactorLen {
			return s, fmt.Errorf("%w: form factor of %d octets", ErrMalformedExtension, len(raw))
		}
		s.formFactor = raw[0]
	}
	return s, nil
}

func parseSerial(raw []byte) (uint32, error) {
	n := new(big.Int)
	rest, err := asn1.Unmarshal(raw, &n)
	if err != nil {
		return 0, fmt.Errorf("%w: serial number: %v", ErrMalformedExtension, err)
	}
	if len(rest) != 0 {
		return 0, fmt.Errorf("%w: serial number followed by %d octets", ErrMalformedExtension, len(rest))
	}
	if n.Sign() <= 0 || !n.IsUint64() || n.Uint64() > math.MaxUint32 {
		return 0, fmt.Errorf("%w: serial number out of range", ErrMalformedExtension)
	}
	return uint32(n.Uint64()), nil
}

func parseKeyPolicy(raw []byte) (pin, touch string, err error) {
	if len(raw) != keyPolicyLen {
		return "", "", fmt.Errorf("%w: key policy of %d octets", ErrMalformedExtension, len(raw))
	}
	switch raw[0] {
	case 1:
		pin = "never"
	case 2:
		pin = "once"
	case 3:
		pin = "always"
	case 4:
		pin = "match-once"
	case 5:
		pin = "match-always"
	default:
		return "", "", fmt.Errorf("%w: PIN policy %#02x", ErrMalformedExtension, raw[0])
	}
	switch raw[1] {
	case 1:
		touch = "never"
	case 2:
		touch = "always"
	case 3:
		touch = "cached"
	default:
		return "", "", fmt.Errorf("%w: touch policy %#02x", ErrMalformedExtension, raw[1])
	}
	return pin, touch, nil
}

func requireExtension(cert *x509.Certificate, last int, what string) ([]byte, error) {
	raw, ok := extension(cert, last)
	if !ok {
		return nil, missing(last, what)
	}
	return raw, nil
}

func missing(last int, what string) error {
	return fmt.Errorf("%w: %s (%s)", ErrMissingExtension, what, arc(last))
}

// extension returns the value of one of Yubico's extensions.
func extension(cert *x509.Certificate, last int) ([]byte, bool) {
	oid := arc(last)
	for _, e := range cert.Extensions {
		if e.Id.Equal(oid) {
			return e.Value, true
		}
	}
	return nil, false
}

// formFactorName names the case of a YubiKey as Yubico's configuration reference
// does; empty when the certificate does not tell.
func formFactorName(b byte) string {
	switch b & formFactorMask {
	case 0:
		return ""
	case 1:
		return "USB-A keychain"
	case 2:
		return "USB-A nano"
	case 3:
		return "USB-C keychain"
	case 4:
		return "USB-C nano"
	case 5:
		return "USB-C and Lightning keychain"
	case 6:
		return "USB-A biometric keychain"
	case 7:
		return "USB-C biometric keychain"
	}
	return fmt.Sprintf("unknown (%#02x)", b)
}
