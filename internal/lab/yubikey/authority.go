package yubikey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// deviceName is the subject of the attestation certificate (slot f9) of each
// card.
const deviceName = "cse-piv Practice Lab PIV Attestation"

// Authority is the practice lab's stand-in for Yubico's attestation CAs. There
// are two, as with Yubico: a root that signs the attestation certificates of
// older cards, and one with two intermediates for those from firmware 5.7.4 on.
type Authority struct{ cas [authorities]authorityCA }

// The CAs of an authority.
const (
	oldRoot = iota
	newRoot
	intermediate
	deviceIssuer
	authorities // their number
)

// authorityCA is one of them.
type authorityCA struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// dates is a period of validity.
type dates struct{ from, to time.Time }

// Yubico's newer attestation certificates do not expire: 9999-12-31 is the date
// that RFC 5280, 4.1.2.5, has for that.
var (
	oldDates = dates{time.Date(2016, time.March, 14, 0, 0, 0, 0, time.UTC), time.Date(2052, time.April, 17, 0, 0, 0, 0, time.UTC)}
	newDates = dates{time.Date(2024, time.December, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)}
)

// authorityPlan says what the CAs are. The names say that wherever a certificate
// turns up. A root is its own parent, and parents stand before their children.
var authorityPlan = [authorities]struct {
	file       string // in a directory, without suffix
	name       string
	pathLength int
	dates      dates
	parent     int
}{
	oldRoot:      {"attestation-old-root", "cse-piv Practice Lab PIV Root CA Serial 1", 1, oldDates, oldRoot},
	newRoot:      {"attestation-root", "cse-piv Practice Lab Attestation Root 1", 3, newDates, newRoot},
	intermediate: {"attestation-intermediate", "cse-piv Practice Lab Attestation Intermediate A 1", 2, newDates, newRoot},
	deviceIssuer: {"attestation-piv", "cse-piv Practice Lab PIV Attestation A 1", 1, newDates, intermediate},
}

// NewAuthority makes roots and intermediates with new keys.
func NewAuthority() (*Authority, error) {
	a := &Authority{}
	for i, plan := range authorityPlan {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("making the key of %q: %w", plan.name, err)
		}
		a.cas[i].key = key
		template, err := certificateOf(plan.name, plan.dates)
		if err != nil {
			return nil, err
		}
		template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		template.BasicConstraintsValid, template.IsCA, template.MaxPathLen = true, true, plan.pathLength
		if a.cas[i].certificate, err = a.cas[plan.parent].sign(template, key.Public()); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Roots returns the certificates that the lab's attestations chain up to.
func (a *Authority) Roots() []*x509.Certificate {
	return []*x509.Certificate{a.cas[newRoot].certificate, a.cas[oldRoot].certificate}
}

// Intermediates returns the certificates between the roots and the cards'.
func (a *Authority) Intermediates() []*x509.Certificate {
	return []*x509.Certificate{a.cas[intermediate].certificate, a.cas[deviceIssuer].certificate}
}

// deviceKey is the attestation key of all cards that this process makes: as in
// the factory, where many cards get the same one (manual of Yubico's .NET SDK,
// "PIV attestation statements").
var deviceKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(nil, 2048) })

// issueDevice signs the attestation certificate of a card.
func (a *Authority) issueDevice(p profile, public crypto.PublicKey) (*x509.Certificate, error) {
	ca := oldRoot
	if p.can(IntermediateCAs) {
		ca = deviceIssuer
	}
	template, err := certificateOf(deviceName, authorityPlan[ca].dates)
	if err != nil {
		return nil, err
	}
	// In the order that real ones have, and nothing else: no key identifiers.
	template.ExtraExtensions = []pkix.Extension{firmwareExtension(p.firmware)}
	if p.can(ConstrainedDevice) {
		der, err := asn1.Marshal(struct {
			IsCA       bool
			PathLength int
		}{true, 0})
		if err != nil {
			return nil, fmt.Errorf("encoding basic constraints: %w", err)
		}
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: oidBasicConstraints, Critical: true, Value: der})
	}
	issuer := *a.cas[ca].certificate
	issuer.SubjectKeyId = nil
	return authorityCA{&issuer, a.cas[ca].key}.sign(template, public)
}

var oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}

// certificateOf is what all the authority's certificates have in common.
func certificateOf(name string, period dates) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, fmt.Errorf("drawing the serial number of %q: %w", name, err)
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: period.from, NotAfter: period.to,
	}, nil
}

// sign issues a certificate. A CA without a certificate yet signs its own.
func (ca authorityCA) sign(template *x509.Certificate, public crypto.PublicKey) (*x509.Certificate, error) {
	parent := ca.certificate
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, ca.key)
	if err != nil {
		return nil, fmt.Errorf("signing %q: %w", template.Subject.CommonName, err)
	}
	return x509.ParseCertificate(der)
}

// Tags of a certificate object's value (SP 800-73-4 Part 1, table 10).
const (
	tagCertificate    = 0x70
	tagCertInfo       = 0x71
	tagErrorDetection = 0xfe
)

// installAttestation gives a new card the attestation key, which as on real
// cards counts as imported, and its certificate.
func (c *Card) installAttestation(authority *Authority) error {
	private, err := deviceKey()
	if err != nil {
		return fmt.Errorf("making the attestation key: %w", err)
	}
	device, err := authority.issueDevice(c.profile, private.Public())
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
