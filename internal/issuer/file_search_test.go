package issuer

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// expiredLeaf ended a day ago.
func (ca testCA) expiredLeaf(t *testing.T, key any) *x509.Certificate {
	t.Helper()
	return newCertificate(t, &x509.Certificate{EmailAddresses: []string{carol}, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(0, 0, -1)},
		ca.issuing, key, ca.key)
}

// TestRenewalBesideTheOldOne: neither the old key's certificate nor its request is in the
// way of a new key.
func TestRenewalBesideTheOldOne(t *testing.T) {
	ca, old, key := newCA(t, nil), newKey(t), newKey(t)
	for name, kept := range map[string]map[string][]byte{
		"certificate":             {"carol@example.org.9d.pem": pemOf(ca.leaf(t, old.Public(), time.Now()))},
		"expired":                 {"carol@example.org.9d.pem": pemOf(ca.expiredLeaf(t, old.Public()))},
		"request and certificate": {"carol@example.org.9d.csr": encodePEM("CERTIFICATE REQUEST", newRequest(t, old, nil).CSR), "carol@example.org.9d.cer": ca.leaf(t, old.Public(), time.Now()).Raw},
	} {
		dir := t.TempDir()
		for file, data := range kept {
			write(t, dir, file, data)
		}
		i := fileIssuerIn(t, dir)
		request := newRequest(t, key, nil)
		_, err := i.Issue(t.Context(), request)
		waits := Waits(err)
		if len(waits) != 1 || waits[0].Found != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if preview := i.(Previewer).Preview(Request{Email: carol, Slot: "9d"}, key.Public()); preview == nil || preview.Error() != err.Error() {
			t.Errorf("%s: the preview says %v", name, preview)
		}
		leaf := ca.leaf(t, key.Public(), time.Now())
		write(t, dir, waits[0].Expected, pemOf(leaf))
		if certs, err := i.Issue(t.Context(), request); err != nil || !certs[0].Equal(leaf) {
			t.Errorf("%s: %v", name, err)
		}
		for file, data := range kept {
			if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s: %s was changed", name, file)
			}
		}
	}
}

// TestRenewalOfTheSameKey: the expired certificate is said, and the newest valid one wins.
func TestRenewalOfTheSameKey(t *testing.T) {
	ca, key := newCA(t, nil), newKey(t)
	dir := t.TempDir()
	write(t, dir, "carol@example.org.9d.pem", pemOf(ca.expiredLeaf(t, key.Public())))
	i := fileIssuerIn(t, dir)
	_, err := i.Issue(t.Context(), newRequest(t, key, nil))
	var expired *ExpiredError
	if len(Waits(err)) != 1 || !errors.As(err, &expired) || filepath.Base(expired.File) != "carol@example.org.9d.pem" || !strings.Contains(err.Error(), "expired on") {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "carol@example.org.9d.csr")); err != nil {
		t.Error("the request was not written: ", err)
	}
	older, newer := ca.leaf(t, key.Public(), time.Now().Add(-2*time.Hour)), ca.leaf(t, key.Public(), time.Now().Add(-time.Hour))
	later := ca.leaf(t, key.Public(), time.Now().Add(time.Hour))
	for n, leaf := range []*x509.Certificate{older, later, newer} {
		write(t, dir, fmt.Sprintf("renewed %d.crt", n), pemOf(leaf))
	}
	if certs, err := i.Issue(t.Context(), newRequest(t, key, nil)); err != nil || !certs[0].Equal(newer) || len(certs) != 1 {
		t.Error(certs, err)
	}
}

// TestFoundUnderAnyName: what the CA's people call the file does not matter.
func TestFoundUnderAnyName(t *testing.T) {
	ca, key := newCA(t, nil), newKey(t)
	dir := t.TempDir()
	i := fileIssuerIn(t, dir)
	request := newRequest(t, key, nil)
	attestation := newCertificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "YubiKey PIV Attestation 9d"},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 41482, 3, 3}, Value: []byte{5, 7, 4}}}}, ca.issuing, key.Public(), ca.key)
	selfSigned := newCertificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Carol"}}, &x509.Certificate{Subject: pkix.Name{CommonName: "Carol"}}, key.Public(), key)
	write(t, dir, "copy of attestation.pem", pemOf(attestation))
	write(t, dir, "self.pem", pemOf(selfSigned))
	write(t, dir, "broken.pem", []byte("-----BEGIN CERTIFICATE-----\n!!"))
	write(t, dir, "dave@example.org.9d.pem", pemOf(ca.leaf(t, newKey(t).Public(), time.Now())))
	if _, err := i.Issue(t.Context(), request); len(Waits(err)) != 1 {
		t.Fatal(err)
	}
	leaf := ca.leaf(t, key.Public(), time.Now())
	path := write(t, dir, "certnew (3).P7B", bundle(t, ca.issuing, leaf))
	certs, err := i.Issue(t.Context(), request)
	if err != nil || !certs[0].Equal(leaf) || len(certs) != 2 {
		t.Fatal(certs, err)
	}
	// A file that changed is read again.
	renewed := ca.leaf(t, key.Public(), time.Now().Add(-time.Minute))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "certnew (3).P7B", bundle(t, renewed, ca.issuing, ca.root))
	if certs, err := i.Issue(t.Context(), request); err != nil || !certs[0].Equal(renewed) || len(certs) != 3 {
		t.Error(certs, err)
	}
}

func TestDifferencesNameBothSides(t *testing.T) {
	ca, key, other := newCA(t, nil), newKey(t), newKey(t)
	usage, err := asn1.Marshal(asn1.BitString{Bytes: []byte{0x88}, BitLength: 5})
	if err != nil {
		t.Fatal(err)
	}
	request, err := newRequest(t, key, func(r *x509.CertificateRequest) {
		r.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Value: usage}}
	}).check()
	if err != nil {
		t.Fatal(err)
	}
	rsaKey := newRSA(t, 2048)
	for name, test := range map[string]struct {
		leaf *x509.Certificate
		key  any
		want []string
	}{
		"as asked": {&x509.Certificate{EmailAddresses: []string{"Carol@EXAMPLE.org"}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement}, key.Public(), nil},
		"address":  {&x509.Certificate{EmailAddresses: []string{"eve@example.org"}}, key.Public(), []string{"address: asked for carol@example.org, got eve@example.org"}},
		"usage":    {&x509.Certificate{EmailAddresses: []string{carol}, KeyUsage: x509.KeyUsageDigitalSignature}, key.Public(), []string{"key usage: asked for digitalSignature, keyAgreement, got digitalSignature"}},
		"key":      {&x509.Certificate{EmailAddresses: []string{carol}}, other.Public(), []string{"key: asked for " + describeKey(key.Public()) + ", got " + describeKey(other.Public())}},
		"algorithm and all": {&x509.Certificate{KeyUsage: x509.KeyUsageKeyEncipherment}, rsaKey.Public(), []string{
			"key: asked for EC P-256 key " + certificate.KeyFingerprint(key.Public())[:16] + ", got RSA 2048 key " + certificate.KeyFingerprint(rsaKey.Public())[:16],
			"address: asked for carol@example.org, got none", "key usage: asked for digitalSignature, keyAgreement, got keyEncipherment"}},
	} {
		got := Differences(request, newCertificate(t, test.leaf, ca.issuing, test.key, ca.key))
		if len(got) != len(test.want) {
			t.Errorf("%s: %v", name, got)
			continue
		}
		for n, want := range test.want {
			if got[n].String() != want {
				t.Errorf("%s: %q, want %q", name, got[n], want)
			}
		}
	}
}

// TestSearchIsBounded: among the first 20,000 files any name is searched; behind them only
// the names that were asked for are.
func TestSearchIsBounded(t *testing.T) {
	ca, key, late := newCA(t, nil), newKey(t), newKey(t)
	dir := t.TempDir()
	for n := range maxSearched - 1 {
		write(t, dir, fmt.Sprintf("b%05d.txt", n), nil)
	}
	found, unseen := ca.leaf(t, key.Public(), time.Now()), ca.leaf(t, late.Public(), time.Now())
	write(t, dir, "a.pem", pemOf(found))
	write(t, dir, "d.pem", pemOf(unseen))
	i := fileIssuerIn(t, dir)
	if certs, err := i.Issue(t.Context(), newRequest(t, key, nil)); err != nil || !certs[0].Equal(found) {
		t.Errorf("the first file: %v, %v", certs, err)
	}
	request := newRequest(t, late, nil)
	_, err := i.Issue(t.Context(), request)
	waits := Waits(err)
	if len(waits) != 1 {
		t.Fatalf("the file behind the bound: %v", err)
	}
	write(t, dir, waits[0].Expected, pemOf(unseen))
	if certs, err := i.Issue(t.Context(), request); err != nil || !certs[0].Equal(unseen) {
		t.Errorf("the name that was asked for: %v, %v", certs, err)
	}
}
