package smime_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

const (
	email  = certtest.Email
	crlURL = "http://crl.example.com/ca.crl"
)

// now is when the tests look at their certificates.
func now() time.Time { return certtest.Now() }

// newIntermediate and newLeaf return templates that keep to Google's profile, too.
func newIntermediate(t testing.TB, name string) *x509.Certificate {
	template := certtest.NewIntermediate(t, name)
	template.MaxPathLenZero = true
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	template.CRLDistributionPoints = []string{crlURL}
	return template
}

func newLeaf(t testing.TB) *x509.Certificate {
	template := certtest.NewLeaf(t)
	template.BasicConstraintsValid = false
	template.Policies = []x509.OID{oid(t, 2, 23, 140, 1, 5, 1, 3)}
	template.CRLDistributionPoints = []string{crlURL}
	template.OCSPServer = []string{"http://ocsp.example.com/"}
	template.IssuingCertificateURL = []string{"http://certs.example.com/ca.cer"}
	return template
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
func goodChain(t testing.TB) []*certtest.Holder {
	t.Helper()
	root := certtest.Issue(t, certtest.NewRoot(t, "Root"), certtest.NewKey(t, elliptic.P384()), nil)
	intermediate := certtest.Issue(t, newIntermediate(t, "Issuing"), certtest.NewKey(t, elliptic.P384()), root)
	leaf := certtest.Issue(t, newLeaf(t), certtest.NewKey(t, elliptic.P256()), intermediate)
	return []*certtest.Holder{leaf, intermediate, root}
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
	testenv.Program(t, "openssl")
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
