package certpath_test

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
	"unicode"
	"unicode/utf8"
)

const email = "kim@example.com"

// now is when the tests look at their certificates.
func now() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

// holder is a certificate together with its key.
type holder struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newKey(t testing.TB, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue signs template with issuer's key; without an issuer it signs itself.
func issue(t testing.TB, template *x509.Certificate, key crypto.Signer, issuer *holder) *holder {
	t.Helper()
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{cert: parse(t, der), key: key}
}

func parse(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// newRoot, newIntermediate and newLeaf return templates without a fault.
func newRoot(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		t.Fatal(err)
	}
	return &x509.Certificate{
		SerialNumber: serial.SetBit(serial, 126, 1), Subject: pkix.Name{CommonName: name},
		NotBefore: now().AddDate(-5, 0, 0), NotAfter: now().AddDate(15, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
	}
}

func newIntermediate(t testing.TB, name string) *x509.Certificate {
	template := newRoot(t, name)
	template.NotBefore, template.NotAfter = now().AddDate(-2, 0, 0), now().AddDate(5, 0, 0)
	return template
}

func newLeaf(t testing.TB) *x509.Certificate {
	template := newRoot(t, "Kim")
	template.NotBefore, template.NotAfter = now().AddDate(0, -1, 0), now().AddDate(1, 0, 0)
	template.KeyUsage, template.IsCA = x509.KeyUsageDigitalSignature|x509.KeyUsageKeyAgreement, false
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	template.EmailAddresses = []string{email}
	return template
}

// goodChain returns leaf, intermediate and root without a fault.
func goodChain(t testing.TB) []*holder {
	t.Helper()
	root := issue(t, newRoot(t, "Root"), newKey(t, elliptic.P256()), nil)
	intermediate := issue(t, newIntermediate(t, "Issuing"), newKey(t, elliptic.P256()), root)
	leaf := issue(t, newLeaf(t), newKey(t, elliptic.P256()), intermediate)
	return []*holder{leaf, intermediate, root}
}

func certs(holders ...*holder) []*x509.Certificate {
	list := make([]*x509.Certificate, 0, len(holders))
	for _, h := range holders {
		list = append(list, h.cert)
	}
	return list
}

func sameCerts(t testing.TB, got, want []*x509.Certificate) {
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

// printableText reports whether a text can steer no terminal.
func printableText(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return false
		}
	}
	return utf8.ValidString(s)
}
