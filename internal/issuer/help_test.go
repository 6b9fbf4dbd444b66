package issuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
)

const carol = "carol@example.org"

func newKey(t testing.TB) *ecdsa.PrivateKey { return certtest.NewKey(t, elliptic.P256()) }

func newRequest(t testing.TB, key crypto.Signer, change func(*x509.CertificateRequest)) Request {
	t.Helper()
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: "Carol"}, EmailAddresses: []string{carol}}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	return Request{Email: carol, Slot: "9d", CSR: der}
}

// testCA is a root and an issuing certificate under it.
type testCA struct {
	root, issuing *x509.Certificate
	rootKey, key  *ecdsa.PrivateKey
}

func newCertificate(t testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
	t.Helper()
	if template.SerialNumber == nil {
		template.SerialNumber = big.NewInt(time.Now().UnixNano())
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-24 * time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().AddDate(10, 0, 0)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newCA(t testing.TB, change func(issuing *x509.Certificate)) testCA {
	t.Helper()
	rootKey, key := newKey(t), newKey(t)
	rootTemplate := &x509.Certificate{Subject: pkix.Name{CommonName: "Root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	root := newCertificate(t, rootTemplate, rootTemplate, rootKey.Public(), rootKey)
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "Issuing"}, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}
	if change != nil {
		change(template)
	}
	return testCA{root, newCertificate(t, template, root, key.Public(), rootKey), rootKey, key}
}

func (ca testCA) leaf(t testing.TB, public crypto.PublicKey, notBefore time.Time) *x509.Certificate {
	t.Helper()
	return newCertificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Carol"}, EmailAddresses: []string{carol}, NotBefore: notBefore},
		ca.issuing, public, ca.key)
}

func bundle(t testing.TB, certs ...*x509.Certificate) []byte {
	t.Helper()
	der, err := pkcs7.DegenerateCertificate(raw(certs))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func raw(certs []*x509.Certificate) []byte {
	var all []byte
	for _, c := range certs {
		all = append(all, c.Raw...)
	}
	return all
}

func pemOf(certs ...*x509.Certificate) []byte { return certificate.EncodePEM(certs...) }

func encodePEM(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func write(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}
