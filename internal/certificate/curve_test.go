package certificate_test

import (
	"bytes"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// TestOtherCurves: a certificate whose elliptic curve crypto/x509 does not know is read, as one
// of another unknown key is, and does not hide the others of the file.
func TestOtherCurves(t *testing.T) {
	chain := newChain(t)
	// P-192's identifier is as long as that of P-256.
	p256, p192 := object(t, 1, 2, 840, 10045, 3, 1, 7), object(t, 1, 2, 840, 10045, 3, 1, 1)
	leaf := bytes.ReplaceAll(chain[0].Raw, p256, p192)
	got, err := certificate.Parse(append(bytes.Clone(leaf), chain[1].Raw...))
	if err != nil || len(got) != 2 {
		t.Fatalf("%d certificates, %v", len(got), err)
	}
	cert := got[0]
	if !bytes.Equal(cert.Raw, leaf) || !bytes.Equal(cert.RawTBSCertificate, bytes.ReplaceAll(chain[0].RawTBSCertificate, p256, p192)) ||
		!bytes.Equal(cert.RawSubjectPublicKeyInfo, bytes.ReplaceAll(chain[0].RawSubjectPublicKeyInfo, p256, p192)) {
		t.Error("its octets are not those of the file")
	}
	if name := certificate.KeyName(cert); name != "EC P-192" || cert.PublicKey != nil {
		t.Errorf("%s, %v", name, cert.PublicKey)
	}
	// A key that is damaged is no other curve's.
	damaged := bytes.Replace(chain[0].Raw, append(bytes.Clone(p256), 3, 0x42, 0, 4), append(bytes.Clone(p256), 3, 0x42, 0, 5), 1)
	if got, err := certificate.Parse(damaged); err == nil || bytes.Equal(damaged, chain[0].Raw) {
		t.Errorf("damaged: %v", got)
	}
}
