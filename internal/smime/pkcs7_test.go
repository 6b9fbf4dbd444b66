package smime_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"github.com/cse-piv/cse-piv/internal/smime"
)

func encode(t testing.TB, chain []*x509.Certificate) []byte {
	t.Helper()
	data, err := smime.EncodePKCS7(chain)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestPKCS7OpenSSL: openssl reads the file, finds the certificates in the order
// given, which is not the sorted one in at least one direction, and no CRLs.
func TestPKCS7OpenSSL(t *testing.T) {
	chain := certs(goodChain(t)...)
	backwards := slices.Clone(chain)
	slices.Reverse(backwards)
	for _, list := range [][]*x509.Certificate{chain, backwards, chain[:1]} {
		data := encode(t, list)
		printed := openssl(t, data, "pkcs7", "-print_certs", "-inform", "PEM")
		var read []*x509.Certificate
		for rest := printed; strings.Contains(rest, "-----BEGIN"); {
			rest = rest[strings.Index(rest, "-----BEGIN"):]
			end := strings.Index(rest, "-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----\n")
			read = append(read, parse(t, fromPEM(t, []byte(rest[:end]))))
			rest = rest[end:]
		}
		sameCerts(t, read, list)

		tree := openssl(t, data, "asn1parse", "-inform", "PEM")
		var fields []string // of SignedData, which is at depth 2
		for line := range strings.Lines(tree) {
			if strings.Contains(line, ":d=3 ") {
				words := strings.Fields(line)
				i := slices.IndexFunc(words, func(w string) bool { return w == "prim:" || w == "cons:" })
				fields = append(fields, strings.Join(words[i:], " "))
			}
		}
		want := []string{"prim: INTEGER :01", "cons: SET", "cons: SEQUENCE", "cons: cont [ 0 ]", "cons: SET"}
		if !slices.Equal(fields, want) {
			t.Errorf("the fields of SignedData are %q, want %q", fields, want)
		}
	}
}

func TestEncodePKCS7Refuses(t *testing.T) {
	for name, chain := range map[string][]*x509.Certificate{"nothing": nil, "nil": {nil}} {
		if data, err := smime.EncodePKCS7(chain); err == nil {
			t.Errorf("%s: encoded as %q", name, data)
		}
	}
}

// TestPKCS7Order: whatever the list, doublets included, the same list comes back.
func TestPKCS7Order(t *testing.T) {
	pool := certs(goodChain(t)...)
	for i := range 5 {
		pool = append(pool, issue(t, newRoot(t, fmt.Sprint("Other ", i)), newKey(t, elliptic.P256()), nil).cert)
	}
	property := func(seed uint64, length uint8) bool {
		random := rand.New(rand.NewPCG(seed, 1))
		list := make([]*x509.Certificate, 1+int(length)%20)
		for i := range list {
			list[i] = pool[random.IntN(len(pool))]
		}
		data, err := smime.EncodePKCS7(list)
		if err != nil {
			return false
		}
		back, err := smime.ParsePKCS7(data)
		if err != nil {
			return false
		}
		whole, err := smime.ParseCertificates(data)
		return err == nil && slices.EqualFunc(back, list, (*x509.Certificate).Equal) && slices.EqualFunc(whole, list, (*x509.Certificate).Equal)
	}
	if err := quick.Check(property, nil); err != nil {
		t.Error(err)
	}
}

// TestPKCS7FromOpenSSL: what openssl packs, with signed data's other fields, is read.
func TestPKCS7FromOpenSSL(t *testing.T) {
	chain := certs(goodChain(t)...)
	var all []byte
	for _, cert := range chain {
		all = append(all, toPEM("CERTIFICATE", cert.Raw)...)
	}
	file := filepath.Join(t.TempDir(), "chain.pem")
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"PEM", "DER"} {
		out := openssl(t, nil, "crl2pkcs7", "-nocrl", "-outform", form, "-certfile", file)
		got, err := smime.ParsePKCS7([]byte(out))
		if err != nil {
			t.Fatal(form, err)
		}
		sameCerts(t, got, chain)
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
	chain := certs(goodChain(t)...)
	kind := object(t, 1, 2, 840, 113549, 1, 7, 2)
	raw := slices.Concat(chain[0].Raw, chain[1].Raw, chain[2].Raw)
	der := fromPEM(t, encode(t, chain))
	for name, data := range map[string][]byte{
		"DER":              der,
		"PEM":              toPEM("PKCS7", der),
		"PEM CMS":          toPEM("CMS", der),
		"text before PEM":  append([]byte("Your certificate:\r\n\r\n"), toPEM("PKCS7", der)...),
		"BER, indefinite":  signedData(t, true, kind, tlv(0xa0, true, raw)),
		"BER, some":        signedData(t, true, kind, tlv(0xa0, false, raw)),
		"with a CRL field": signedData(t, false, kind, tlv(0xa0, false, raw), tlv(0xa1, false)),
	} {
		for reader, read := range readers() {
			got, err := read(data)
			if err != nil {
				t.Errorf("%s, %s: %v", name, reader, err)
				continue
			}
			sameCerts(t, got, chain)
		}
	}
}

func readers() map[string]func([]byte) ([]*x509.Certificate, error) {
	return map[string]func([]byte) ([]*x509.Certificate, error){
		"ParsePKCS7": smime.ParsePKCS7, "ParseCertificates": smime.ParseCertificates,
	}
}

func TestParsePKCS7Refuses(t *testing.T) {
	chain := certs(goodChain(t)...)
	kind := object(t, 1, 2, 840, 113549, 1, 7, 2)
	der := fromPEM(t, encode(t, chain))
	deep := bytes.Repeat([]byte{0x30, 0x80}, 100000)
	for name, data := range map[string][]byte{
		"empty":               {},
		"trailing octet":      append(slices.Clone(der), 0),
		"trailing BER":        append(signedData(t, true, kind, tlv(0xa0, true, chain[0].Raw)), 0, 0),
		"trailing text":       append(toPEM("PKCS7", der), "more"...),
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
		for reader, read := range readers() {
			if got, err := read(data); !errors.Is(err, smime.ErrNotCertificates) {
				t.Errorf("%s, %s: %d certificates, error %v", name, reader, len(got), err)
			}
		}
	}
	for name, data := range map[string][]byte{
		"certificate":      chain[0].Raw,
		"PEM certificate":  toPEM("CERTIFICATE", chain[0].Raw),
		"two PEM blocks":   append(toPEM("PKCS7", der), toPEM("PKCS7", der)...),
		"damaged PEM":      []byte("-----BEGIN PKCS7-----\n*\n-----END PKCS7-----\n"),
		"escape in a name": toPEM("\x1b[31mPKCS7", der),
	} {
		got, err := smime.ParsePKCS7(data)
		if !errors.Is(err, smime.ErrNotCertificates) {
			t.Errorf("%s: %d certificates, error %v", name, len(got), err)
		} else if strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%s: the error carries a control character: %q", name, err)
		}
	}
}
