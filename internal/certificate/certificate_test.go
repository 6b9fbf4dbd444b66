package certificate_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// newChain returns three certificates.
func newChain(t testing.TB) []*x509.Certificate {
	t.Helper()
	var list []*x509.Certificate
	for i := range 3 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, newCertificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: fmt.Sprint("Kim ", i)}}, key))
	}
	return list
}

func newCertificate(t testing.TB, template *x509.Certificate, key crypto.Signer) *x509.Certificate {
	t.Helper()
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(1), time.Now(), time.Now().AddDate(1, 0, 0)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func sameCerts(t testing.TB, what string, got, want []*x509.Certificate) {
	t.Helper()
	if !slices.EqualFunc(got, want, (*x509.Certificate).Equal) {
		t.Errorf("%s: got %d certificates, want %d", what, len(got), len(want))
	}
}

func toPEM(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func TestParse(t *testing.T) {
	chain := newChain(t)
	der := packed(t, chain[1:])
	pkcs7 := toPEM("PKCS7", der)
	leaf, intermediate := toPEM("CERTIFICATE", chain[0].Raw), toPEM("CERTIFICATE", chain[1].Raw)
	for name, c := range map[string]struct {
		data []byte
		want []*x509.Certificate
	}{
		"DER":                 {chain[0].Raw, chain[:1]},
		"PEM":                 {leaf, chain[:1]},
		"several PEM":         {append(slices.Clone(leaf), intermediate...), chain[:2]},
		"old label":           {toPEM("X509 CERTIFICATE", chain[0].Raw), chain[:1]},
		"CRLF":                {bytes.ReplaceAll(append(slices.Clone(leaf), intermediate...), []byte("\n"), []byte("\r\n")), chain[:2]},
		"byte order mark":     {append([]byte("\xef\xbb\xbf"), leaf...), chain[:1]},
		"text around":         {slices.Concat([]byte("subject=CN = Kim\n\n"), leaf, []byte("issuer=CN = Issuing\n"), intermediate, []byte("\n \r\n")), chain[:2]},
		"PKCS7 PEM":           {pkcs7, chain[1:]},
		"PKCS7 DER":           {der, chain[1:]},
		"PEM and PKCS7":       {append(slices.Clone(leaf), pkcs7...), chain},
		"certificate's label": {toPEM("CERTIFICATE", der), chain[1:]},
		"OpenSSL's label":     {toPEM("PKCS #7 SIGNED DATA", der), chain[1:]},
		"trusted":             {toPEM("TRUSTED CERTIFICATE", append(slices.Clone(chain[0].Raw), 0x30, 0)), chain[:1]},
		"DER twice":           {slices.Concat(chain[0].Raw, chain[1].Raw), chain[:2]},
		"with a request":      {append(toPEM("CERTIFICATE REQUEST", []byte{0x30, 0}), leaf...), chain[:1]},
		"DER and an octet":    {append(slices.Clone(chain[0].Raw), 0), chain[:1]},
		"PEM and text":        {append(slices.Clone(leaf), "more text\n-- \nThe CA\n"...), chain[:1]},
		"octet after in PEM":  {toPEM("CERTIFICATE", append(slices.Clone(chain[0].Raw), 0)), chain[:1]},
		"PKCS7 and an octet":  {append(slices.Clone(der), 0), chain[1:]},
		"PKCS7 PEM and text":  {append(slices.Clone(pkcs7), "more"...), chain[1:]},
		"BER and octets":      {append(signedData(t, true, object(t, 1, 2, 840, 113549, 1, 7, 2), tlv(0xa0, true, chain[0].Raw)), 0, 0), chain[:1]},
		"order of the file":   {append(slices.Clone(intermediate), leaf...), []*x509.Certificate{chain[1], chain[0]}},
	} {
		got, err := certificate.Parse(c.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sameCerts(t, name, got, c.want)
	}
}

func TestParseRefuses(t *testing.T) {
	der := newChain(t)[0].Raw
	for der[len(der)-1] == '\n' { // a line's end, and what follows would be PEM
		der = newChain(t)[0].Raw
	}
	block := toPEM("CERTIFICATE", der)
	twice := append(slices.Clone(block), block...)
	damage := func(at int) []byte {
		data := slices.Clone(twice)
		data[at] = '*'
		return data
	}
	for name, data := range map[string][]byte{
		"nothing":               nil,
		"space":                 []byte(" \n"),
		"text":                  []byte("a certificate"),
		"DER cut":               der[:len(der)-1],
		"after the signature":   append([]byte{0x30, 0x82, byte((len(der) - 2) >> 8), byte(len(der) - 2)}, append(slices.Clone(der[4:]), 5, 0)...),
		"DER and PEM":           append(slices.Clone(der), block...),
		"PEM cut":               block[:len(block)-10],
		"PEM cut in the second": twice[:len(twice)-30],
		"first block damaged":   damage(100),
		"second block damaged":  damage(len(block) + 100),
		"DER cut in PEM":        toPEM("CERTIFICATE", der[:len(der)-1]),
		"empty block":           toPEM("CERTIFICATE", nil),
		"private key":           append(slices.Clone(block), toPEM("PRIVATE KEY", []byte{0x30, 0})...),
		"request":               toPEM("CERTIFICATE REQUEST", der),
		"key beside it":         append(slices.Clone(block), toPEM("RSA PRIVATE KEY", []byte{0x30, 0})...),
		"escape in a label":     toPEM("\x1b[2J", der),
	} {
		got, err := certificate.Parse(data)
		if !errors.Is(err, certificate.ErrUnreadable) {
			t.Errorf("%s: %d certificates, error %v", name, len(got), err)
		} else if strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%s: the error carries a control character: %q", name, err)
		}
	}
}

// TestBounds: a hostile file costs milliseconds, whatever is in it.
func TestBounds(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	chain := newChain(t)
	addresses := make([]string, 20_000)
	for i := range addresses {
		addresses[i] = fmt.Sprintf("user%d@example.com", i)
	}
	many := newCertificate(t, &x509.Certificate{EmailAddresses: addresses}, key)
	for name, data := range map[string][]byte{
		"RSA of a million bits":        withKey(t, chain[0], 1_000_000),
		"RSA of 65536 bits in PEM":     toPEM("CERTIFICATE", withKey(t, chain[0], 65536)),
		"8,000 certificates in PEM":    bytes.Repeat(toPEM("CERTIFICATE", chain[0].Raw), 8000),
		"1,001 certificates in DER":    bytes.Repeat(chain[0].Raw, 1001),
		"1,001 certificates in PKCS#7": packed(t, slices.Repeat(chain[:1], 1001)),
		"20,000 addresses":             many.Raw,
		"nested indefinite lengths":    bytes.Repeat([]byte{0x30, 0x80}, certificate.MaxFile/2),
		"the same in PEM":              toPEM("PKCS7", bytes.Repeat([]byte{0x30, 0x80}, certificate.MaxFile/3)),
		"nested definite lengths":      bytes.Repeat([]byte{0x30, 0x83, 0x10, 0, 0}, certificate.MaxFile/5),
		"blocks that only begin":       bytes.Repeat([]byte("-----BEGIN CERTIFICATE-----\n"), certificate.MaxFile/28),
		"a thousand of them":           bytes.Repeat([]byte("-----BEGIN CERTIFICATE-----\n"+strings.Repeat("A", 4000)+"\n"), 1000),
		"far too large":                make([]byte, 64<<20),
	} {
		began := time.Now()
		list, err := certificate.Parse(data)
		if !errors.Is(err, certificate.ErrUnreadable) {
			t.Errorf("%s: %d certificates, %v", name, len(list), err)
		}
		t.Logf("%s, %d octets: %v", name, len(data), time.Since(began).Round(100*time.Microsecond))
	}
	var large *certificate.TooLargeError
	if _, err := certificate.Parse(withKey(t, chain[0], 8193)); !errors.As(err, &large) {
		t.Errorf("8193 bits: %v", err)
	}
	if _, err := certificate.Parse(withKey(t, chain[0], 8192)); err != nil {
		t.Errorf("8192 bits: %v", err)
	}
	issued, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Kim"}}, &x509.Certificate{Subject: pkix.Name{CommonName: "One"}}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	user, err := x509.ParseCertificate(issued)
	if err != nil {
		t.Fatal(err)
	}
	for bits, refused := range map[uint]bool{4096: false, 4097: true, 8192: true} {
		if _, err := certificate.Parse(withKey(t, user, bits)); errors.As(err, &large) != refused {
			t.Errorf("a user's key of %d bits: %v", bits, err)
		}
	}
	if list, err := certificate.Parse(bytes.Repeat(chain[0].Raw, 1000)); err != nil || len(list) != 1000 {
		t.Errorf("1,000 certificates: %d, %v", len(list), err)
	}
}

// withKey returns a certificate with an RSA key of that many bits, which nobody
// has; its signature is not good.
func withKey(t testing.TB, cert *x509.Certificate, bits uint) []byte {
	t.Helper()
	modulus := new(big.Int).Lsh(big.NewInt(1), bits-1)
	spki, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: modulus.SetBit(modulus, 0, 1), E: 65537})
	if err != nil {
		t.Fatal(err)
	}
	var whole struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.RawValue
	}
	if _, err := asn1.Unmarshal(cert.Raw, &whole); err != nil {
		t.Fatal(err)
	}
	whole.TBS = asn1.RawValue{FullBytes: tlv(0x30, false, bytes.Replace(whole.TBS.Bytes, cert.RawSubjectPublicKeyInfo, spki, 1))}
	der, err := asn1.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestParseRequest(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"DER": der, "PEM": toPEM("CERTIFICATE REQUEST", der), "old label": toPEM("NEW CERTIFICATE REQUEST", der)} {
		if request, err := certificate.ParseRequest(data); err != nil || !key.PublicKey.Equal(request.PublicKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	block := toPEM("CERTIFICATE REQUEST", der)
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("a request"), "two": append(slices.Clone(block), block...), "certificate": toPEM("CERTIFICATE", newChain(t)[0].Raw),
		"cut": block[:len(block)-9], "octet after": append(slices.Clone(der), 0),
	} {
		if request, err := certificate.ParseRequest(data); !errors.Is(err, certificate.ErrUnreadable) {
			t.Errorf("%s: %v, %v", name, request, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	chain := newChain(f)
	f.Add([]byte{})
	f.Add(chain[0].Raw)
	f.Add(append(toPEM("CERTIFICATE", chain[0].Raw), toPEM("TRUSTED CERTIFICATE", chain[1].Raw)...))
	f.Add(packed(f, chain))
	f.Add(signedData(f, true, object(f, 1, 2, 840, 113549, 1, 7, 2), tlv(0xa0, true, chain[0].Raw)))
	f.Add(bytes.Repeat([]byte{0x30, 0x80}, 20_000))
	f.Add(toBER(f, packed(f, chain[:1])))
	f.Add(inUTF16(certificate.EncodePEM(chain[0]), binary.LittleEndian, false))
	f.Add(wrapped(chain[0].Raw, 64, "\r\n"))
	f.Add([]byte("dn: uid=kim\nuserCertificate;binary:: " + string(wrapped(chain[0].Raw, 76, "\n ")) + "\n"))
	f.Add([]byte("BEGIN:VCARD\nKEY;ENCODING=b;TYPE=X509:" + string(wrapped(chain[0].Raw, 76, "\n ")) + "\nEND:VCARD\n"))
	f.Add(slices.Concat([]byte("\x00\x00\x00\x00CERT"), entry(3, []byte{1}), entry(32, chain[0].Raw), make([]byte, 12)))
	f.Add(append(toPEM("PRIVATE KEY", []byte{0x30, 0}), certificate.EncodePEM(chain[0])...))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		list, err := certificate.Parse(data)
		if !bytes.Equal(before, data) {
			t.Fatal("the input was changed")
		}
		if (err == nil) != (len(list) > 0) || err != nil && !errors.Is(err, certificate.ErrUnreadable) {
			t.Fatalf("%d certificates and error %v", len(list), err)
		}
		if err != nil && strings.ContainsFunc(safetext.Clean(err.Error()), safetext.Hidden) {
			t.Fatalf("%q", err)
		}
		var raw []byte
		for _, cert := range list {
			if err := certificate.CheckSize(cert); err != nil {
				t.Fatal(err)
			}
			raw = append(raw, cert.Raw...)
		}
		if list != nil {
			back, err := certificate.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			sameCerts(t, "again", back, list)
		}
	})
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{EmailAddresses: []string{"kim@example.com"}}, key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, data []byte) {
		request, err := certificate.ParseRequest(data)
		if (err == nil) != (request != nil) || err != nil && !errors.Is(err, certificate.ErrUnreadable) {
			t.Fatalf("%v, %v", request, err)
		}
	})
}
