package yubikey

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"fmt"
)

// slotID is a key reference (SP 800-73-4 Part 1, table 4b, and Yubico's f9).
type slotID byte

const (
	slotRetiredFirst    slotID = 0x82
	slotRetiredLast     slotID = 0x95
	slotAuthentication  slotID = 0x9a
	slotManagement      slotID = 0x9b
	slotSignature       slotID = 0x9c
	slotKeyManagement   slotID = 0x9d
	slotCardAuth        slotID = 0x9e
	slotAttestation     slotID = 0xf9
	deleteInsteadOfMove        = 0xff
)

// holdsKeyPair reports whether the slot can hold a key pair.
func (s slotID) holdsKeyPair() bool {
	return s.forUser() || s == slotAttestation
}

// forUser reports whether the slot's key can be used with GENERAL AUTHENTICATE
// and be attested.
func (s slotID) forUser() bool {
	switch s {
	case slotAuthentication, slotSignature, slotKeyManagement, slotCardAuth:
		return true
	}
	return s >= slotRetiredFirst && s <= slotRetiredLast
}

// String returns the key reference as two hexadecimal digits, "9d".
func (s slotID) String() string { return hex.EncodeToString([]byte{byte(s)}) }

// MarshalText writes the two digits.
func (s slotID) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the two digits.
func (s *slotID) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != 1 || !slotID(raw[0]).holdsKeyPair() {
		return fmt.Errorf("no key slot is called %q", text)
	}
	*s = slotID(raw[0])
	return nil
}

// Policy values (Yubico's PIV extensions, "PIN policy" and "Touch policy").
const (
	policyDefault = 0

	pinNever  = 1
	pinOnce   = 2
	pinAlways = 3

	touchNever  = 1
	touchAlways = 2
	touchCached = 3
)

// Origins of a key (GET METADATA, tag 03).
const (
	originGenerated = 1
	originImported  = 2
)

// slotState is a key pair with its policies, fixed when it came to the card.
type slotState struct {
	Algorithm   algorithm `json:"algorithm"`
	Origin      byte      `json:"origin"`
	PINPolicy   byte      `json:"pin_policy"`
	TouchPolicy byte      `json:"touch_policy"`
	PKCS8       []byte    `json:"pkcs8"`

	private crypto.PrivateKey
}

func newSlotState(private crypto.PrivateKey, origin byte, p policies) (*slotState, error) {
	a, ok := algorithmOf(private)
	if !ok {
		return nil, fmt.Errorf("no slot holds a key of type %T", private)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("encoding a private key: %w", err)
	}
	return &slotState{
		Algorithm: a, Origin: origin, PINPolicy: p.pin, TouchPolicy: p.touch,
		PKCS8: der, private: private,
	}, nil
}

// parse takes the private key out of its encoding.
func (s *slotState) parse() error {
	private, err := x509.ParsePKCS8PrivateKey(s.PKCS8)
	if err != nil {
		return fmt.Errorf("private key: %w", err)
	}
	if a, ok := algorithmOf(private); !ok || a != s.Algorithm {
		return fmt.Errorf("the private key is not %v", s.Algorithm)
	}
	s.private = private
	return nil
}

// policies are the PIN and touch policy of a key.
type policies struct{ pin, touch byte }

// defaultPolicies are those of a key that was made without any: the PIN always
// for signatures, never for card authentication, else once; no touch.
func defaultPolicies(slot slotID) policies {
	switch slot {
	case slotSignature:
		return policies{pinAlways, touchNever}
	case slotCardAuth:
		return policies{pinNever, touchNever}
	}
	return policies{pinOnce, touchNever}
}

// parsePolicies reads tags AA and AB of GENERATE and IMPORT, and puts the
// slot's defaults where nothing or 00 is given.
func (p profile) parsePolicies(slot slotID, fields []tlv) (policies, bool) {
	chosen := defaultPolicies(slot)
	for _, field := range fields {
		if field.tag != 0xaa && field.tag != 0xab {
			continue
		}
		if len(field.value) != 1 {
			return policies{}, false
		}
		value := field.value[0]
		switch {
		case value == policyDefault:
		case value > pinAlways:
			return policies{}, false
		case field.tag == 0xaa:
			chosen.pin = value
		case value == touchCached && !p.can(CachedTouch):
			return policies{}, false
		default:
			chosen.touch = value
		}
	}
	if p.fips && chosen.pin == pinNever && slot != slotCardAuth {
		return policies{}, false
	}
	return chosen, true
}
