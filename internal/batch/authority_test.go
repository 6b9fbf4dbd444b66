package batch_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
)

// authority is an organisation's own CA with keys that verify fast (the practice
// CA's root has P-384, and the lab looks at every chain several times), so that a
// benchmark measures the batch and not the lab.
type authority struct {
	root, issuing *x509.Certificate
	key, leafKey  *ecdsa.PrivateKey
	serial        int64
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	rootKey, a := newKey(t), &authority{key: newKey(t), leafKey: newKey(t)}
	a.root = a.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Root"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign}, nil, rootKey, rootKey)
	a.issuing = a.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Issuing"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}, a.root, a.key, rootKey)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey { return certtest.NewKey(t, elliptic.P256()) }

func (a *authority) sign(t testing.TB, template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	a.serial++
	template.SerialNumber = big.NewInt(1<<40 + a.serial)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0)
	template.BasicConstraintsValid = true
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// rootFile writes the root where a lab finds it.
func (a *authority) rootFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// people are n persons with new certificates.
func (a *authority) people(t testing.TB, n int, name string) rows {
	t.Helper()
	people := make(rows, n)
	for i := range people {
		people[i] = a.row(t, fmt.Sprintf("%s%05d@lab.example", name, i+1), i+1)
	}
	return people
}

// row is a person with a new certificate.
func (a *authority) row(t testing.TB, email string, line int) source.Row {
	t.Helper()
	leaf := a.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: email}, EmailAddresses: []string{email}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}, a.issuing, a.leafKey, a.key)
	var data []byte
	for _, c := range []*x509.Certificate{leaf, a.issuing, a.root} {
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return source.Row{Where: fmt.Sprintf("people.csv line %d", line), Line: line, Email: email, Description: "card",
		Certificates: []source.Certificate{{Use: certificate.UseBoth, Data: data}}}
}
