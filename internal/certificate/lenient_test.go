package certificate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

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
	// One that cannot be read is named by its number.
	twice := bytes.Replace(chain[1].Raw, []byte{0xa0, 3, 2, 1, 2}, []byte{0xa0, 3, 2, 1, 9}, 1)
	if _, err := certificate.Parse(append(bytes.Clone(leaf), twice...)); err == nil || !strings.Contains(err.Error(), "certificate 2: x509: ") {
		t.Errorf("the second one: %v", err)
	}
	// A key that is damaged is no other curve's.
	damaged := bytes.Replace(chain[0].Raw, append(bytes.Clone(p256), 3, 0x42, 0, 4), append(bytes.Clone(p256), 3, 0x42, 0, 5), 1)
	if got, err := certificate.Parse(damaged); err == nil || bytes.Equal(damaged, chain[0].Raw) {
		t.Errorf("damaged: %v", got)
	}
}

// TestLenient: what crypto/x509 refuses in names and extensions is read as it stands in the file.
func TestLenient(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issue := func(template *x509.Certificate) []byte {
		template.SerialNumber, template.NotAfter = big.NewInt(1), time.Now()
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		if cert, err := x509.ParseCertificate(der); err == nil {
			t.Fatalf("crypto/x509 does not refuse %v", cert.Subject)
		}
		return der
	}
	name := func(tag byte, value string) []byte {
		return tlv(0x30, false, tlv(0x31, false, tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 9, 1), tlv(tag, false, []byte(value)))))
	}
	for what, c := range map[string]struct {
		tag     byte
		subject string
		reads   string
	}{
		"an address in PrintableString":   {0x13, "kim@example.com", "kim@example.com"},
		"an underscore":                   {0x13, "kim_lee", "kim_lee"},
		"IA5String beyond ASCII":          {0x16, "k\xefm@example.com", "k\u00efm@example.com"},
		"UTF8String that is Latin-1":      {0x0c, "J\xf6rg", "J\u00f6rg"},
		"NumericString with letters":      {0x12, "12ab", "12ab"},
		"VisibleString":                   {0x1a, "Kim", "Kim"},
		"BMPString with an octet too few": {0x1e, "\x00K\x00", "\x00K\x00"},
		"UniversalString":                 {0x1c, "\x00\x00\x00K", "\x00\x00\x00K"},
	} {
		der := issue(&x509.Certificate{RawSubject: name(c.tag, c.subject)})
		got, err := certificate.Parse(der)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if cert := got[0]; !bytes.Equal(cert.Raw, der) || !bytes.Equal(cert.RawSubject, name(c.tag, c.subject)) || !bytes.Contains(cert.RawTBSCertificate, cert.RawSubject) ||
			cert.Subject.Names[0].Value != c.reads {
			t.Errorf("%s: %q", what, cert.Subject.Names)
		}
	}
	for _, id := range []asn1.ObjectIdentifier{{2, 5, 29, 14}, {2, 5, 29, 35}, {1, 3, 6, 1, 5, 5, 7, 1, 1}} {
		value := map[int][]byte{14: {4, 1, 7}, 35: {0x30, 3, 0x80, 1, 7}, 1: {0x30, 0}}[id[len(id)-1]]
		der := issue(&x509.Certificate{ExtraExtensions: []pkix.Extension{{Id: id, Critical: true, Value: value}, {Id: asn1.ObjectIdentifier{1, 2, 3}, Value: value}}})
		got, err := certificate.Parse(der)
		if err != nil {
			t.Errorf("critical %v: %v", id, err)
			continue
		}
		if list := got[0].Extensions; !bytes.Equal(got[0].Raw, der) || !list[0].Id.Equal(id) || !list[0].Critical || list[1].Critical {
			t.Errorf("critical %v: %+v", id, list)
		}
	}
}
