package certificate_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// TestPKCS7FromOpenSSL: what openssl packs, with signed data's other fields, is read.
func TestPKCS7FromOpenSSL(t *testing.T) {
	chain := newChain(t)
	var all []byte
	for _, cert := range chain {
		all = append(all, toPEM("CERTIFICATE", cert.Raw)...)
	}
	file := filepath.Join(t.TempDir(), "chain.pem")
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"PEM", "DER"} {
		out := openssl(t, "crl2pkcs7", "-nocrl", "-outform", form, "-certfile", file)
		got, err := certificate.Parse([]byte(out))
		if err != nil {
			t.Fatal(form, err)
		}
		sameCerts(t, form, got, chain)
	}
}

// tlv encodes a constructed value, in the indefinite form where asked.
func tlv(tag byte, indefinite bool, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	if indefinite {
		return slices.Concat([]byte{tag, 0x80}, body, []byte{0, 0})
	}
	header := []byte{tag, 0x83, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}
	switch {
	case len(body) < 0x80:
		header = []byte{tag, byte(len(body))}
	case len(body) < 0x100:
		header = []byte{tag, 0x81, byte(len(body))}
	case len(body) < 0x10000:
		header = []byte{tag, 0x82, byte(len(body) >> 8), byte(len(body))}
	}
	return append(header, body...)
}

func object(t testing.TB, id ...int) []byte {
	t.Helper()
	der, err := asn1.Marshal(asn1.ObjectIdentifier(id))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// packed is a PKCS#7 with those certificates, in DER.
func packed(t testing.TB, chain []*x509.Certificate) []byte {
	t.Helper()
	var raw []byte
	for _, cert := range chain {
		raw = append(raw, cert.Raw...)
	}
	return signedData(t, false, object(t, 1, 2, 840, 113549, 1, 7, 2), tlv(0xa0, false, raw))
}

// signedData builds a ContentInfo by hand, with its outer values in the
// indefinite form where asked.
func signedData(t testing.TB, indefinite bool, kind, certificates []byte, more ...[]byte) []byte {
	t.Helper()
	signed := tlv(0x30, indefinite,
		[]byte{2, 1, 1}, tlv(0x31, indefinite), tlv(0x30, indefinite, object(t, 1, 2, 840, 113549, 1, 7, 1)),
		certificates, bytes.Join(more, nil), tlv(0x31, indefinite))
	return tlv(0x30, indefinite, kind, tlv(0xa0, indefinite, signed))
}

func TestParsePKCS7Forms(t *testing.T) {
	chain := newChain(t)
	kind := object(t, 1, 2, 840, 113549, 1, 7, 2)
	raw := slices.Concat(chain[0].Raw, chain[1].Raw, chain[2].Raw)
	der := packed(t, chain)
	for name, data := range map[string][]byte{
		"DER":              der,
		"PEM":              toPEM("PKCS7", der),
		"PEM CMS":          toPEM("CMS", der),
		"text before PEM":  append([]byte("Your certificate:\r\n\r\n"), toPEM("PKCS7", der)...),
		"BER, indefinite":  signedData(t, true, kind, tlv(0xa0, true, raw)),
		"BER, some":        signedData(t, true, kind, tlv(0xa0, false, raw)),
		"with a CRL field": signedData(t, false, kind, tlv(0xa0, false, raw), tlv(0xa1, false)),
	} {
		got, err := certificate.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sameCerts(t, name, got, chain)
	}
}

func TestParsePKCS7Refuses(t *testing.T) {
	chain := newChain(t)
	kind := object(t, 1, 2, 840, 113549, 1, 7, 2)
	der := packed(t, chain)
	deep := bytes.Repeat([]byte{0x30, 0x80}, certificate.MaxFile/2)
	for name, data := range map[string][]byte{
		"empty":               {},
		"truncated":           der[:len(der)-1],
		"half":                der[:len(der)/2],
		"no certificates":     signedData(t, false, kind, nil),
		"empty set":           signedData(t, false, kind, tlv(0xa0, false)),
		"plain data":          signedData(t, false, object(t, 1, 2, 840, 113549, 1, 7, 1), tlv(0xa0, false, chain[0].Raw)),
		"not a certificate":   signedData(t, false, kind, tlv(0xa0, false, []byte{0x30, 0})),
		"attribute cert":      signedData(t, false, kind, tlv(0xa0, false, tlv(0xa1, false))),
		"endless nesting":     deep,
		"indefinite, no end":  {0x30, 0x80, 0x30, 0x80},
		"indefinite, simple":  {0x30, 0x80, 0x04, 0x80, 0, 0, 0, 0},
		"huge length":         {0x30, 0x80, 0x30, 0x84, 0xff, 0xff, 0xff, 0xff},
		"length of 8 octets":  {0x30, 0x80, 0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"larger than allowed": make([]byte, 4<<20+1),
	} {
		if got, err := certificate.Parse(data); !errors.Is(err, certificate.ErrUnreadable) {
			t.Errorf("%s: %d certificates, error %v", name, len(got), err)
		}
	}
}

// openssl runs the other implementation.
func openssl(t *testing.T, args ...string) string {
	t.Helper()
	testenv.Program(t, "openssl")
	out, err := exec.CommandContext(t.Context(), "openssl", args...).Output()
	if err != nil {
		t.Fatalf("openssl %v: %v", args, err)
	}
	return string(out)
}
