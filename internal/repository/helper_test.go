package repository_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
)

// authority is one CA certificate of a test, and its key.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func newAuthority(t testing.TB, name string) authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	return authority{sign(t, template, template, key.Public(), key), key}
}

// issue makes a certificate of that serial number.
func (a authority) issue(t testing.TB, serial int64, change func(*x509.Certificate)) authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "ada"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(100 * time.Hour),
	}
	if change != nil {
		change(template)
	}
	return authority{sign(t, template, a.certificate, key.Public(), a.key), key}
}

func newKey(t testing.TB) crypto.Signer { return certtest.NewKey(t, elliptic.P256()) }

func sign(t testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// server serves what handle answers, and counts the requests.
func server(t testing.TB, handle http.HandlerFunc) (address string, requests *atomic.Int32) {
	t.Helper()
	requests = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, requests
}

func serve(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }
}

// lab is the practice lab's authority on a server of its own.
func lab(t testing.TB) (*ca.CA, *atomic.Int32) {
	t.Helper()
	var practice *ca.CA
	address, requests := server(t, func(w http.ResponseWriter, r *http.Request) { practice.ServeHTTP(w, r) })
	practice, err := ca.New(ca.Config{BaseURL: address})
	if err != nil {
		t.Fatal(err)
	}
	return practice, requests
}

// labLeaf issues a user's certificate.
func labLeaf(t testing.TB, practice *ca.CA) *x509.Certificate {
	t.Helper()
	chain, err := practice.Issue("ada@example.com", nil, ca.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	return chain[0]
}
