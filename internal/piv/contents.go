package piv

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// SlotContents is what is in a slot.
type SlotContents struct {
	Slot Slot
	Key  *KeyInfo // nil: no key, or KeyUnknown
	// KeyUnknown says that the card cannot tell whether the slot holds a key:
	// firmware before 5.3 shows a key only by its attestation, so that an imported
	// one without a certificate looks like no key at all.
	KeyUnknown bool
	// Certificate is nil where there is none, or where CertificateErr says why it
	// cannot be read.
	Certificate    *x509.Certificate
	CertificateErr error
}

// Empty reports whether the slot is known to hold neither a key nor a
// certificate.
func (s SlotContents) Empty() bool {
	return s.Key == nil && !s.KeyUnknown && s.Certificate == nil && s.CertificateErr == nil
}

// Unknown reports whether nothing is known of the slot: it shows no certificate, and the card cannot
// tell whether there is a key.
func (s SlotContents) Unknown() bool {
	return s.KeyUnknown && s.Certificate == nil && s.CertificateErr == nil
}

// Mismatched reports whether the certificate is of another key than the one in the
// slot.
func (s SlotContents) Mismatched() bool {
	return s.Key != nil && s.Certificate != nil && s.holdsOther(s.Certificate.PublicKey)
}

// holdsOther reports whether the slot's key is another than that one.
func (s SlotContents) holdsOther(public crypto.PublicKey) bool {
	key, ok := s.Key.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && !key.Equal(public)
}

// CertificateProblem says why the slot's certificate cannot be used: it cannot be
// read, or it is another key's. It is nil where there is none.
func (s SlotContents) CertificateProblem() error {
	if s.Mismatched() {
		return errors.New("it was issued for another key than the one in the slot")
	}
	return s.CertificateErr
}

// Origin says where a key comes from.
type Origin string

// The origins of a key. Firmware before 5.3 tells only of generated keys.
const (
	Generated     Origin = "generated"
	Imported      Origin = "imported"
	OriginUnknown Origin = "unknown"
)

// KeyInfo is what a card tells of a key.
type KeyInfo struct {
	Algorithm   Algorithm
	Origin      Origin
	PINPolicy   PINPolicy
	TouchPolicy TouchPolicy
	PublicKey   crypto.PublicKey
}

// Slot reads what is in one slot. An empty slot is no error.
func (c *Card) Slot(ctx context.Context, slot Slot) (SlotContents, error) {
	if !slot.Valid() {
		return SlotContents{}, fmt.Errorf("%s is not a slot", slot)
	}
	return reading(ctx, c, "reading slot "+slot.String(), func(connection *connection) (SlotContents, error) {
		return readSlot(connection, slot)
	})
}

func readSlot(c *connection, slot Slot) (contents SlotContents, err error) {
	contents.Slot = slot
	contents.Certificate, err = readCertificate(c, slot)
	var damaged *certificateError
	switch {
	case errors.Is(err, pcsc.ErrNoObject):
	case errors.As(err, &damaged):
		contents.CertificateErr = err
	case err != nil:
		return SlotContents{}, err
	}
	if c.firmware.hasMetadata() {
		contents.Key, err = readKey(c, slot)
	} else {
		contents.Key, err = readOldKey(c, slot, contents.Certificate)
		contents.KeyUnknown = contents.Key == nil
	}
	if err != nil {
		return SlotContents{}, err
	}
	return contents, nil
}

func readKey(c *connection, slot Slot) (*KeyInfo, error) {
	metadata, err := c.Metadata(byte(slot))
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info := &KeyInfo{Algorithm: algorithmFromCard(metadata.Algorithm), Origin: OriginUnknown}
	switch metadata.Origin {
	case 1:
		info.Origin = Generated
	case 2:
		info.Origin = Imported
	}
	info.PINPolicy, info.TouchPolicy = policiesFromCard(metadata.PINPolicy, metadata.TouchPolicy)
	info.PublicKey, err = pcsc.ParsePublicKey(metadata.Algorithm, metadata.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("key in slot %s: %w", slot, err)
	}
	return info, nil
}

// readOldKey finds out about a key on firmware before 5.3: one that was
// generated there can be attested, of an imported one only the certificate
// tells. It returns nil where neither does, which does not mean that there is no
// key.
func readOldKey(c *connection, slot Slot, certificate *x509.Certificate) (*KeyInfo, error) {
	der, err := c.Attest(slot)
	if _, refused := statusOf(err); refused {
		if certificate == nil {
			return nil, nil
		}
		algorithm, _ := AlgorithmOf(certificate.PublicKey)
		return &KeyInfo{algorithm, OriginUnknown, PINUnknown, TouchUnknown, certificate.PublicKey}, nil
	}
	if err != nil {
		return nil, err
	}
	attestation, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("attestation of slot %s: %w", slot, err)
	}
	algorithm, _ := AlgorithmOf(attestation.PublicKey)
	info := &KeyInfo{algorithm, Generated, PINUnknown, TouchUnknown, attestation.PublicKey}
	policy := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 41482, 3, 8} // Yubico PIV attestation: PIN and touch policy
	for _, extension := range attestation.Extensions {
		if extension.Id.Equal(policy) && len(extension.Value) == 2 {
			info.PINPolicy, info.TouchPolicy = policiesFromCard(extension.Value[0], extension.Value[1])
		}
	}
	return info, nil
}

// policies returns when the slot's key asks for the PIN and for a touch, unknown
// where the card does not tell. An empty slot is ErrEmptySlot, from firmware 5.3.
func (c *connection) policies(slot Slot) (PINPolicy, TouchPolicy, error) {
	var (
		key *KeyInfo
		err error
	)
	if c.firmware.hasMetadata() {
		var metadata pcsc.Metadata
		if metadata, err = c.Metadata(byte(slot)); isAbsent(err) {
			return "", "", fmt.Errorf("%w: %w", ErrEmptySlot, err)
		}
		key = &KeyInfo{}
		key.PINPolicy, key.TouchPolicy = policiesFromCard(metadata.PINPolicy, metadata.TouchPolicy)
	} else {
		key, err = readOldKey(c, slot, nil)
	}
	switch {
	case err != nil && sentinelOf(err) != nil:
		return "", "", err // not the card's word
	case err != nil || key == nil:
		return PINUnknown, TouchUnknown, nil
	}
	return key.PINPolicy, key.TouchPolicy, nil
}
