package lab

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
)

// TestPeople: each of the people has a certificate with a chain up to the lab's root,
// and keeps it over a restart.
func TestPeople(t *testing.T) {
	dir := t.TempDir()
	l := start(t, Options{Dir: dir, People: 3, Domain: "people.example"})
	files, err := filepath.Glob(filepath.Join(dir, "people", "*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v", files, err)
	}
	path := filepath.Join(dir, "people", "user2@people.example.p7pem")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := parseCertificates(before)
	if err != nil || len(chain) != 3 {
		t.Fatalf("%d certificates, %v", len(chain), err)
	}
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(l.CA().Root())
	others.AddCert(chain[1])
	if _, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}); err != nil {
		t.Error(err)
	}
	if len(chain[0].EmailAddresses) != 1 || chain[0].EmailAddresses[0] != "user2@people.example" {
		t.Errorf("issued for %v", chain[0].EmailAddresses)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	start(t, Options{Dir: dir, People: 4, Domain: "people.example"})
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("another certificate after a restart: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "people", "user4@people.example.p7pem")); err != nil {
		t.Error(err)
	}
	if _, err := Start(t.Context(), Options{People: -1}); err == nil {
		t.Error("less than nobody was accepted")
	}
}
