package smime_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const (
	email  = "kim@example.com"
	crlURL = "http://crl.example.com/ca.crl"
)

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

func newSerial(t testing.TB) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		t.Fatal(err)
	}
	return n.SetBit(n, 126, 1)
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
	return &x509.Certificate{
		SerialNumber: newSerial(t), Subject: pkix.Name{CommonName: name},
		NotBefore: now().AddDate(-5, 0, 0), NotAfter: now().AddDate(15, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
	}
}

func newIntermediate(t testing.TB, name string) *x509.Certificate {
	template := newRoot(t, name)
	template.NotBefore, template.NotAfter = now().AddDate(-2, 0, 0), now().AddDate(5, 0, 0)
	template.MaxPathLenZero = true
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	template.CRLDistributionPoints = []string{crlURL}
	return template
}

func newLeaf(t testing.TB) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: newSerial(t), Subject: pkix.Name{CommonName: "Kim"},
		NotBefore: now().AddDate(0, -1, 0), NotAfter: now().AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		EmailAddresses:        []string{email},
		Policies:              []x509.OID{oid(t, 2, 23, 140, 1, 5, 1, 3)},
		CRLDistributionPoints: []string{crlURL},
		OCSPServer:            []string{"http://ocsp.example.com/"},
		IssuingCertificateURL: []string{"http://certs.example.com/ca.cer"},
	}
}

func oid(t testing.TB, arcs ...uint64) x509.OID {
	t.Helper()
	id, err := x509.OIDFromInts(arcs)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// goodChain returns leaf, intermediate and root without a fault.
func goodChain(t testing.TB) []*holder {
	t.Helper()
	root := issue(t, newRoot(t, "Root"), newKey(t, elliptic.P384()), nil)
	intermediate := issue(t, newIntermediate(t, "Issuing"), newKey(t, elliptic.P384()), root)
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

func toPEM(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func fromPEM(t testing.TB, data []byte) []byte {
	t.Helper()
	block, rest := pem.Decode(data)
	if block == nil || len(rest) != 0 {
		t.Fatalf("not one PEM block: %q", data)
	}
	return block.Bytes
}

// openssl runs the other implementation that judges what is written here.
func openssl(t *testing.T, input []byte, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	file := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(file, input, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "openssl", append(args, "-in", file)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, out.String())
	}
	return out.String()
}

// tlv encodes a value of less than 64 kB.
func tlv(tag byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	switch {
	case len(body) < 0x80:
		return append([]byte{tag, byte(len(body))}, body...)
	case len(body) < 0x100:
		return append([]byte{tag, 0x81, byte(len(body))}, body...)
	}
	return append([]byte{tag, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
}

func object(t testing.TB, id ...int) []byte {
	t.Helper()
	der, err := asn1.Marshal(asn1.ObjectIdentifier(id))
	if err != nil {
		t.Fatal(err)
	}
	return der
}
