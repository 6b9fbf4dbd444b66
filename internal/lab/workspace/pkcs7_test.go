package workspace

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"
)

func selfSigned(t testing.TB) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

func degenerate(t testing.TB, raw []byte) []byte {
	t.Helper()
	der, err := pkcs7.DegenerateCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func encodePEM(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

// digestAlgorithm declares the version's neighbour, the empty set, as one with
// a NULL in it: 31 00 becomes 31 02 05 00 and the lengths around it grow.
func digestAlgorithm(der []byte) []byte {
	at := bytes.Index(der, []byte{0x02, 0x01, 0x01, 0x31, 0x00}) + 3
	return grow(der, at, []byte{0x31, 0x02, 0x05, 0x00})
}

// listed puts an empty sequence where revocation lists go: a1 00 becomes
// a1 02 30 00.
func listed(der []byte) []byte {
	return grow(der, bytes.LastIndex(der, []byte{0xa1, 0x00}), []byte{0xa1, 0x02, 0x30, 0x00})
}

// grow replaces the two bytes at a place by four, and adds two to the lengths
// (each 82 xx xx) of the three constructions around it.
func grow(der []byte, at int, by []byte) []byte {
	der = append(append(bytes.Clone(der[:at]), by...), der[at+2:]...)
	for _, length := range []int{3, 18, 22} {
		n := int(der[length-1])<<8 | int(der[length])
		n += 2
		der[length-1], der[length] = byte(n>>8), byte(n)
	}
	return der
}

func TestParsePKCS7(t *testing.T) {
	c, key := selfSigned(t)
	der := degenerate(t, c.Raw)
	good := encodePEM("PKCS7", der)
	signed, err := pkcs7.NewSignedData([]byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	if err := signed.AddSigner(c, key, pkcs7.SignerInfoConfig{}); err != nil {
		t.Fatal(err)
	}
	withSigner, err := signed.Finish()
	if err != nil {
		t.Fatal(err)
	}
	var many []byte
	for range maxCertificates + 1 {
		many = append(many, c.Raw...)
	}
	with := func(change func([]byte) []byte) []byte { return change(bytes.Clone(der)) }
	for name, test := range map[string]struct {
		text []byte
		says string
	}{
		"good":               {good, ""},
		"space around":       {[]byte("\n" + string(good) + "\r\n \n"), ""},
		"empty":              {nil, "not PEM"},
		"DER":                {der, "not PEM"},
		"text before":        {append([]byte("subject=x\n"), good...), "not PEM"},
		"text after":         {append(bytes.Clone(good), 'x'), "trailing data"},
		"two blocks":         {append(bytes.Clone(good), good...), "trailing data"},
		"certificate":        {encodePEM("CERTIFICATE", c.Raw), "label"},
		"label CMS":          {encodePEM("CMS", der), "label"},
		"damaged first":      {append([]byte("-----BEGIN PKCS7-----\n!\n-----END PKCS7-----\n"), good...), "damaged"},
		"cut short":          {good[:len(good)/2], "damaged"},
		"headers":            {pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Headers: map[string]string{"A": "b"}, Bytes: der}), "headers"},
		"a certificate":      {encodePEM("PKCS7", c.Raw), "content type"},
		"garbage after":      {encodePEM("PKCS7", append(bytes.Clone(der), 0)), "trailing data"},
		"garbage":            {encodePEM("PKCS7", []byte("no DER")), "not DER"},
		"other type":         {encodePEM("PKCS7", with(func(d []byte) []byte { d[bytes.Index(d, []byte{7, 2})+1] = 3; return d })), "need signedData"},
		"signed":             {encodePEM("PKCS7", withSigner), "certs-only"},
		"no certificates":    {encodePEM("PKCS7", degenerate(t, nil)), "no certificates"},
		"broken certificate": {encodePEM("PKCS7", degenerate(t, []byte{0x30, 0})), "parse certificate 1"},
		"not a certificate":  {encodePEM("PKCS7", degenerate(t, []byte{0x04, 0})), "certificate set"},
		"digest algorithms":  {encodePEM("PKCS7", digestAlgorithm(der)), "digest algorithms"},
		"broken list":        {encodePEM("PKCS7", listed(der)), "revocation list"},
		"too many":           {encodePEM("PKCS7", degenerate(t, many)), "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			chain, err := parsePKCS7(test.text)
			switch {
			case test.says == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.says == "" && (len(chain) != 1 || !chain[0].Equal(c)):
				t.Errorf("%d certificates", len(chain))
			case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)):
				t.Errorf("error %v, want %q", err, test.says)
			}
		})
	}
}

func FuzzParsePKCS7(f *testing.F) {
	c, _ := selfSigned(f)
	der := degenerate(f, append(bytes.Clone(c.Raw), c.Raw...))
	f.Add(encodePEM("PKCS7", der))
	f.Add([]byte("-----BEGIN PKCS7-----\n-----END PKCS7-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		chain, err := parsePKCS7(text)
		if err == nil && (len(chain) == 0 || len(chain) > maxCertificates) {
			t.Errorf("%d certificates without an error", len(chain))
		}
	})
}

// FuzzParseSignedData mutates below the armor, and compares with an
// independent parser: where both take the input, they see the same
// certificates.
func FuzzParseSignedData(f *testing.F) {
	c, _ := selfSigned(f)
	f.Add(degenerate(f, c.Raw))
	f.Add(degenerate(f, append(bytes.Clone(c.Raw), c.Raw...)))
	f.Fuzz(func(t *testing.T, der []byte) {
		chain, err := parseSignedData(der)
		if err != nil {
			return
		}
		other, err := pkcs7.Parse(der)
		if err != nil {
			return // it walks into opaque values that crypto/x509 leaves alone
		}
		if len(other.Certificates) != len(chain) {
			t.Fatalf("%d certificates, another parser sees %d", len(chain), len(other.Certificates))
		}
		for i := range chain {
			if !bytes.Contains(der, other.Certificates[i].Raw) {
				return // it rewrites what is not DER
			}
			if !chain[i].Equal(other.Certificates[i]) {
				t.Errorf("certificate %d differs", i)
			}
		}
	})
}
