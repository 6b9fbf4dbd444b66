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

// Mismatched reports whether the certificate is of another key than the one in the
// slot.
func (s SlotContents) Mismatched() bool {
	if s.Key == nil || s.Certificate == nil {
		return false
	}
	key, ok := s.Key.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && !key.Equal(s.Certificate.PublicKey)
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
	return reading(ctx, func() (SlotContents, error) {
		return withSession(ctx, c, "reading slot "+slot.String(), func(s *session) (SlotContents, error) {
			contents, err := readSlot(s, c.Identity().Firmware, slot)
			if err == nil {
				c.learn(contents)
			}
			return contents, err
		})
	})
}

// learn remembers the slot's touch policy for OnTouch.
func (c *Card) learn(contents SlotContents) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if contents.Key == nil {
		delete(c.touch, contents.Slot)
		return
	}
	c.touch[contents.Slot] = contents.Key.TouchPolicy
}

// forget drops what was learnt about the slot's key, which is being replaced.
func (c *Card) forget(slot Slot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.touch, slot)
}

func readSlot(s *session, firmware Version, slot Slot) (contents SlotContents, err error) {
	contents.Slot = slot
	contents.Certificate, err = readCertificate(s, slot)
	var damaged *certificateError
	switch {
	case errors.Is(err, pcsc.ErrNoObject):
	case errors.As(err, &damaged):
		contents.CertificateErr = err
	case err != nil:
		return SlotContents{}, err
	}
	if firmware.hasMetadata() {
		contents.Key, err = readKey(s, slot)
	} else {
		contents.Key, err = readOldKey(s, slot, contents.Certificate)
		contents.KeyUnknown = contents.Key == nil
	}
	if err != nil {
		return SlotContents{}, err
	}
	return contents, nil
}

func readKey(s *session, slot Slot) (*KeyInfo, error) {
	metadata, err := s.Metadata(byte(slot))
	if errors.Is(err, pcsc.ReferenceNotFound) || errors.Is(err, pcsc.NotFound) {
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
func readOldKey(s *session, slot Slot, certificate *x509.Certificate) (*KeyInfo, error) {
	der, err := s.Attest(byte(slot))
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
