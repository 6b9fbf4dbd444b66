package yubikey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// Names of the practice authority. They say what it is wherever a certificate
// of it turns up.
const (
	rootName         = "cse-piv Practice Lab Attestation Root 1 (not Yubico)"
	intermediateName = "cse-piv Practice Lab PIV Attestation A 1 (not Yubico)"
	deviceName       = "cse-piv Practice Lab PIV Attestation %d (not Yubico)"
)

// Yubico's newer attestation certificates do not expire: 9999-12-31 is the date
// that RFC 5280, 4.1.2.5, has for that.
var (
	authorityNotBefore = time.Date(2024, time.December, 1, 0, 0, 0, 0, time.UTC)
	authorityNotAfter  = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
)

// Authority is the practice lab's stand-in for Yubico's attestation CA: a root
// and an intermediate that signs the attestation certificate (slot f9) of each
// card.
type Authority struct {
	root, intermediate       *x509.Certificate
	rootKey, intermediateKey *ecdsa.PrivateKey
}

// NewAuthority makes a root and an intermediate with new keys.
func NewAuthority() (*Authority, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the attestation root's key: %w", err)
	}
	intermediateKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the attestation intermediate's key: %w", err)
	}
	root, err := issue(rootName, 2, rootKey.Public(), nil, rootKey)
	if err != nil {
		return nil, err
	}
	intermediate, err := issue(intermediateName, 1, intermediateKey.Public(), root, rootKey)
	if err != nil {
		return nil, err
	}
	return &Authority{root: root, intermediate: intermediate, rootKey: rootKey, intermediateKey: intermediateKey}, nil
}

// Roots returns the certificates that the lab's attestations chain up to.
func (a *Authority) Roots() []*x509.Certificate { return []*x509.Certificate{a.root} }

// Intermediates returns the certificates between the roots and the cards'.
func (a *Authority) Intermediates() []*x509.Certificate {
	return []*x509.Certificate{a.intermediate}
}

// issueDevice signs the attestation certificate of a card.
func (a *Authority) issueDevice(serial uint32, public crypto.PublicKey) (*x509.Certificate, error) {
	return issue(fmt.Sprintf(deviceName, serial), 0, public, a.intermediate, a.intermediateKey)
}

// issue signs a CA certificate with the path length given; a nil parent makes
// it self-signed.
func issue(name string, pathLength int, public crypto.PublicKey, parent *x509.Certificate, key crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, fmt.Errorf("drawing the serial number of %q: %w", name, err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: authorityNotBefore, NotAfter: authorityNotAfter,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true, IsCA: true,
		MaxPathLen: pathLength, MaxPathLenZero: pathLength == 0,
	}
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("signing %q: %w", name, err)
	}
	return x509.ParseCertificate(der)
}

// Tags of a certificate object's value (SP 800-73-4 Part 1, table 10).
const (
	tagCertificate    = 0x70
	tagCertInfo       = 0x71
	tagErrorDetection = 0xfe
)

// installAttestation gives a new card its attestation key and certificate. As
// on real cards the key counts as imported: RSA-2048, and P-384 from 5.7 on.
func (c *Card) installAttestation(authority *Authority) error {
	a := rsa2048
	if c.profile.newAlgorithms {
		a = eccP384
	}
	private, err := c.generate(a)
	if err != nil {
		return fmt.Errorf("making the attestation key: %w", err)
	}
	device, err := authority.issueDevice(c.state.Serial, publicOf(private))
	if err != nil {
		return err
	}
	key, err := newSlotState(private, originImported, policies{pinOnce, touchNever})
	if err != nil {
		return err
	}
	c.state.Slots[slotAttestation] = key
	value := appendTLV(nil, tagCertificate, device.Raw)
	value = appendTLV(value, tagCertInfo, []byte{0})
	c.state.Objects[objectAttestation] = appendTLV(value, tagErrorDetection, nil)
	return nil
}
