// Package certtest makes certificates for tests of what reads, builds and judges chains:
// templates without a fault, which a test spoils in one respect, and their issuance.
package certtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"
)

// Email is the address in a leaf.
const Email = "kim@example.com"

// Now is when the certificates are looked at.
func Now() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

// Holder is a certificate together with its key.
type Holder struct {
	Cert *x509.Certificate
	Key  crypto.Signer
}

// NewKey returns a new key.
func NewKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Issue signs a template with the issuer's key; without an issuer it signs itself.
func Issue(t testing.TB, template *x509.Certificate, key crypto.Signer, issuer *Holder) *Holder {
	t.Helper()
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.Cert, issuer.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return &Holder{Cert: Parse(t, der), Key: key}
}

// Parse parses a certificate.
func Parse(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// NewRoot returns a root's template.
func NewRoot(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		t.Fatal(err)
	}
	return &x509.Certificate{
		SerialNumber: serial.SetBit(serial, 126, 1), Subject: pkix.Name{CommonName: name},
		NotBefore: Now().AddDate(-5, 0, 0), NotAfter: Now().AddDate(15, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
	}
}

// NewIntermediate returns an issuing authority's template.
func NewIntermediate(t testing.TB, name string) *x509.Certificate {
	template := NewRoot(t, name)
	template.NotBefore, template.NotAfter = Now().AddDate(-2, 0, 0), Now().AddDate(5, 0, 0)
	return template
}

// NewLeaf returns a user's template.
func NewLeaf(t testing.TB) *x509.Certificate {
	template := NewRoot(t, "Kim")
	template.NotBefore, template.NotAfter = Now().AddDate(0, -1, 0), Now().AddDate(1, 0, 0)
	template.KeyUsage, template.IsCA = x509.KeyUsageDigitalSignature|x509.KeyUsageKeyAgreement, false
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	template.EmailAddresses = []string{Email}
	return template
}

// Certs returns the holders' certificates.
func Certs(holders ...*Holder) []*x509.Certificate {
	list := make([]*x509.Certificate, 0, len(holders))
	for _, h := range holders {
		list = append(list, h.Cert)
	}
	return list
}

// Same fails where the certificates are others, or in another order.
func Same(t testing.TB, got, want []*x509.Certificate) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d certificates, want %d", len(got), len(want))
	}
	for i := range got {
		if !got[i].Equal(want[i]) {
			t.Fatalf("certificate %d is %s, want %s", i, got[i].Subject, want[i].Subject)
		}
	}
}
