package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/durable"
)

// The files of a CA in its folder.
const (
	RootCertificate = "root.pem"
	RootKey         = "root.key"
	IssuingChain    = "issuing.pem" // the issuing certificate, then the root
	IssuingKey      = "issuing.key"
)

// How long the authorities live, and how far before the time of signing they begin, for
// clocks that are behind.
const (
	rootYears    = 15
	issuingYears = 7
	backdate     = 5 * time.Minute
)

// Options of a new CA.
type Options struct {
	Name string // the organisation's
	// RootCRL is where the root's revocation list will be fetched: http.
	RootCRL string
	// RootURL is where the root's certificate will be fetched: http, optional.
	RootURL string
	// RootKey and IssuingKey are keys in tokens; nil means a new one in a file.
	RootKey, IssuingKey *Key
	Now                 time.Time
}

// CheckNew makes the folder for a new CA. The error is [fs.ErrExist] where there is one.
func CheckNew(dir string) error {
	folder := durable.Folder(dir)
	if err := durable.MakeFolder(dir, 0o700); err != nil {
		return err
	}
	for _, name := range []string{RootCertificate, RootKey, IssuingChain, IssuingKey} {
		if _, err := folder.Stat(name); err == nil {
			return fmt.Errorf("%s: %w", folder.Path(name), fs.ErrExist)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// New makes a CA of two levels in a folder: a root (P-384), whose key belongs offline
// from then on, and an issuing authority (P-256) as Google's profile for intermediates
// asks for. Keys are kept in files where the options give none. It replaces no file: the
// error is [fs.ErrExist] where one of them is there.
func New(dir string, options Options) (issuing, root *x509.Certificate, err error) {
	if err := CheckNew(dir); err != nil {
		return nil, nil, err
	}
	folder := durable.Folder(dir)
	rootKey, rootFile, err := options.RootKey.orNew(elliptic.P384())
	if err != nil {
		return nil, nil, err
	}
	defer clear(rootFile)
	issuingKey, issuingFile, err := options.IssuingKey.orNew(elliptic.P256())
	if err != nil {
		return nil, nil, err
	}
	defer clear(issuingFile)
	if root, err = sign(options.root(), nil, rootKey.Public(), rootKey); err != nil {
		return nil, nil, err
	}
	if issuing, err = sign(options.issuing(), root, issuingKey.Public(), rootKey); err != nil {
		return nil, nil, err
	}
	for _, file := range []struct {
		name string
		data []byte
		mode fs.FileMode
	}{
		{RootKey, rootFile, 0o600},
		{IssuingKey, issuingFile, 0o600},
		{RootCertificate, certificate.EncodePEM(root), 0o644},
		{IssuingChain, certificate.EncodePEM(issuing, root), 0o644},
	} {
		if file.data == nil {
			continue
		}
		if err := folder.CreateFile(file.name, file.data, file.mode); err != nil {
			return nil, nil, fmt.Errorf("making a CA: %w", err)
		}
	}
	return issuing, root, nil
}

// orNew returns the key or, where there is none, a new one with what is to be written into
// its file.
func (k *Key) orNew(curve elliptic.Curve) (key crypto.Signer, file []byte, err error) {
	if k != nil {
		return k, nil, nil
	}
	created, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(created)
	if err != nil {
		return nil, nil, err
	}
	defer clear(der)
	return created, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func (o Options) root() *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{o.Name}, CommonName: o.Name + " S/MIME Root CA"},
		NotBefore: o.Now.Add(-backdate), NotAfter: o.Now.AddDate(rootYears, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
	}
}

func (o Options) issuing() *x509.Certificate {
	template := &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{o.Name}, CommonName: o.Name + " S/MIME Issuing CA"},
		NotBefore: o.Now.Add(-backdate), NotAfter: o.Now.AddDate(issuingYears, 0, 0),
		KeyUsage:    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	if o.RootCRL != "" {
		template.CRLDistributionPoints = []string{o.RootCRL}
	}
	if o.RootURL != "" {
		template.IssuingCertificateURL = []string{o.RootURL}
	}
	return template
}

// sign signs a certificate; parent is nil for a root, which signs itself.
func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	serial, err := NewSerial()
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(spki) // RFC 7093 section 2, method 1
	template.SubjectKeyId = id[:20]
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("signing the authority's certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// NewSerial returns a serial number of 127 random bits: positive, in 16 octets.
func NewSerial() (*big.Int, error) {
	limit := new(big.Int).Lsh(big.NewInt(1), 127)
	for {
		serial, err := rand.Int(rand.Reader, limit)
		if err != nil {
			return nil, fmt.Errorf("serial number: %w", err)
		}
		if serial.Sign() > 0 {
			return serial, nil
		}
	}
}
