// Package ca is the practice lab's S/MIME certification authority: a root, an
// issuing intermediate, revocation lists and OCSP over http, and enrollment
// over EST (RFC 7030). What it signs meets Gmail's published certificate
// profile, unless a test asks for a deviation.
package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"
)

// Config describes an authority.
type Config struct {
	// Clock gives the time of signing; nil means time.Now.
	Clock func() time.Time
	// BaseURL is where ServeHTTP is reached, for example
	// "http://127.0.0.1:8080". It is written into certificates (CRL
	// distribution points, authority information access); "" leaves those out.
	BaseURL string
	// Validity is how long end-entity certificates live; 0 means two years.
	Validity time.Duration
}

// CA is the authority. It is an http.Handler and safe for concurrent use.
type CA struct {
	config        Config
	root, issuing authority

	mu      sync.Mutex
	profile Profile
	issued  map[string]time.Time // decimal serial → notAfter
}

// authority is one CA certificate, its key and what it revoked (guarded by
// CA.mu).
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	revoked     []x509.RevocationListEntry
	list        *crl
	number      *big.Int
}

// New makes an authority with new keys on P-256.
func New(config Config) (*CA, error) {
	ca := newCA(config)
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the root's key: %w", err)
	}
	issuingKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the issuing authority's key: %w", err)
	}
	if ca.root, err = ca.signRoot(rootKey); err != nil {
		return nil, err
	}
	if ca.issuing, err = ca.signIssuing(issuingKey); err != nil {
		return nil, err
	}
	return ca, nil
}

func newCA(config Config) *CA {
	if config.Clock == nil {
		config.Clock = time.Now
	}
	if config.Validity <= 0 {
		config.Validity = 2 * 365 * 24 * time.Hour
	}
	config.BaseURL = strings.TrimSuffix(config.BaseURL, "/")
	return &CA{config: config, issued: map[string]time.Time{}}
}

// backdate is how far before the time of signing certificates begin, for
// clients whose clock is behind.
const backdate = 5 * time.Minute

func (ca *CA) signRoot(key crypto.Signer) (authority, error) {
	now := ca.config.Clock()
	template := &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{Organization: []string{"cse-piv Practice Lab"}, CommonName: "cse-piv Practice Lab S/MIME Root CA"},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.AddDate(20, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	certificate, err := create(template, template, key.Public(), key)
	if err != nil {
		return authority{}, fmt.Errorf("sign the root: %w", err)
	}
	return authority{certificate: certificate, key: key}, nil
}

func (ca *CA) signIssuing(key crypto.Signer) (authority, error) {
	now := ca.config.Clock()
	template := &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{Organization: []string{"cse-piv Practice Lab"}, CommonName: "cse-piv Practice Lab S/MIME Issuing CA"},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		Policies:              practicePolicies(),
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	if base := ca.config.BaseURL; base != "" {
		template.CRLDistributionPoints = []string{base + rootCRLPath}
		template.IssuingCertificateURL = []string{base + rootCertPath}
	}
	certificate, err := create(template, ca.root.certificate, key.Public(), ca.root.key)
	if err != nil {
		return authority{}, fmt.Errorf("sign the issuing authority: %w", err)
	}
	return authority{certificate: certificate, key: key}, nil
}

func create(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// newSerial returns 127 random bits with the highest set: positive, 16 bytes,
// always the same length.
func newSerial() *big.Int {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // crypto/rand does not fail
	raw[0] = raw[0]&0x7f | 0x40
	return new(big.Int).SetBytes(raw)
}

// practicePolicies is one policy below the arc for examples (2.999): a real
// policy is not ours to assert.
func practicePolicies() []x509.OID { return policies(2, 999, 1, 1) }

func policies(arcs ...uint64) []x509.OID {
	policy, err := x509.OIDFromInts(arcs)
	if err != nil {
		return nil
	}
	return []x509.OID{policy}
}

// Root returns the root certificate.
func (ca *CA) Root() *x509.Certificate { return ca.root.certificate }

// Issuing returns the issuing intermediate.
func (ca *CA) Issuing() *x509.Certificate { return ca.issuing.certificate }
