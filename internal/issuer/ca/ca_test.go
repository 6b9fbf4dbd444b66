package ca_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
)

func newCA(t *testing.T) (dir string, issuing, root *x509.Certificate) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "ca")
	issuing, root, err := ca.New(dir, ca.Options{Name: "Example", RootCRL: "http://ca.example.com/root.crl", Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return dir, issuing, root
}

func newKey(t testing.TB) *ecdsa.PrivateKey { return certtest.NewKey(t, elliptic.P256()) }

// issuingKey reads the issuing authority's key.
func issuingKey(t *testing.T, dir string) crypto.Signer {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, ca.IssuingKey))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		t.Fatal("no key")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(crypto.Signer)
}

// TestNewCA: the chain is valid, keys are private, and nothing is replaced.
func TestNewCA(t *testing.T) {
	dir, issuing, root := newCA(t)
	var verifier certpath.Verifier
	chain, err := verifier.Build(issuing, certpath.NewPool([]*x509.Certificate{root}), certpath.Options{Mail: true})
	if err != nil || len(verifier.Validate(chain, certpath.Options{Mail: true})) > 0 {
		t.Errorf("%d certificates, error %v", len(chain), err)
	}
	before := map[string]string{}
	for _, name := range []string{ca.RootKey, ca.IssuingKey, ca.RootCertificate, ca.IssuingChain} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(name) == ".key" && runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		before[name] = read(t, dir, name)
	}
	for name := range before {
		if _, _, err := ca.New(dir, ca.Options{Name: "Other", Now: time.Now()}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("with %s: %v", name, err)
		}
		if read(t, dir, name) != before[name] {
			t.Errorf("%s was replaced", name)
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRecord: what was issued is found by its key until it is revoked or over.
func TestRecord(t *testing.T) {
	dir, issuing, _ := newCA(t)
	record, now := ca.RecordOf(filepath.Join(dir, ca.IssuingChain)), time.Now()
	key := newKey(t)
	sign := func(serial int64, until time.Time) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: now.Add(-time.Hour), NotAfter: until},
			issuing, key.Public(), issuingKey(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err == nil {
			err = record.Keep(cert)
		}
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	found := func(key crypto.PublicKey) int {
		certs, err := record.Find(key, now)
		if err != nil {
			t.Fatal(err)
		}
		return len(certs)
	}
	first, over := sign(0xabc, now.Add(time.Hour)), sign(2, now.Add(-time.Minute))
	if found(key.Public()) != 1 || found(newKey(t).Public()) != 0 {
		t.Errorf("found %d for the key", found(key.Public()))
	}
	if err := record.Keep(first); !errors.Is(err, fs.ErrExist) {
		t.Errorf("kept twice: %v", err)
	}
	revocation := ca.Revocation{At: now, Reason: 1}
	for range 2 { // the second changes nothing
		if err := record.Revoke(first.SerialNumber, revocation); err != nil {
			t.Fatal(err)
		}
		revocation = ca.Revocation{At: now.Add(time.Hour), Reason: 4}
	}
	if err := record.Revoke(big.NewInt(77), revocation); !errors.Is(err, ca.ErrUnknownSerial) {
		t.Errorf("a foreign one: %v", err)
	}
	if err := record.Revoke(over.SerialNumber, revocation); err != nil || found(key.Public()) != 0 {
		t.Errorf("error %v, found %d", err, found(key.Public()))
	}
	list, err := record.SignList(t.Context(), issuing, issuingKey(t, dir), now, time.Hour)
	if err != nil || list.CheckSignatureFrom(issuing) != nil || len(list.RevokedCertificateEntries) != 1 ||
		list.RevokedCertificateEntries[0].SerialNumber.Cmp(first.SerialNumber) != 0 || list.RevokedCertificateEntries[0].ReasonCode != 1 {
		t.Errorf("%+v, error %v", list, err)
	}
}

// TestListNumbersGrow: also where several sign at a time (RFC 5280 section 5.2.3); a file
// that is no list of this CA is not replaced.
func TestListNumbersGrow(t *testing.T) {
	dir, issuing, _ := newCA(t)
	record, key := ca.RecordOf(filepath.Join(dir, ca.IssuingChain)), issuingKey(t, dir)
	numbers := make([]string, 8)
	var signing sync.WaitGroup
	for i := range numbers {
		signing.Go(func() {
			list, err := record.SignList(t.Context(), issuing, key, time.Now(), time.Hour)
			if err != nil {
				t.Error(err)
				return
			}
			numbers[i] = list.Number.String()
		})
	}
	signing.Wait()
	seen := map[string]bool{}
	for _, number := range numbers {
		if seen[number] || number == "" {
			t.Errorf("numbers %v", numbers)
		}
		seen[number] = true
	}
	if err := os.WriteFile(filepath.Join(dir, ca.IssuingList), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := record.SignList(t.Context(), issuing, key, time.Now(), time.Hour); err == nil || read(t, dir, ca.IssuingList) != "hello" {
		t.Errorf("another file: %v", err)
	}
}

// TestDamagedRecord: what cannot be read is said, and nothing is signed without it.
func TestDamagedRecord(t *testing.T) {
	dir, issuing, _ := newCA(t)
	record := ca.RecordOf(filepath.Join(dir, ca.IssuingChain))
	if err := os.MkdirAll(filepath.Join(dir, "issued"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "issued", "0-1.pem"), []byte("cut off"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := record.List(); !errors.Is(err, certificate.ErrUnreadable) {
		t.Errorf("list: %v", err)
	}
	if _, err := record.SignList(t.Context(), issuing, issuingKey(t, dir), time.Now(), time.Hour); !errors.Is(err, certificate.ErrUnreadable) {
		t.Errorf("sign: %v", err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
