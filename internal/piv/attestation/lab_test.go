package attestation_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// now is the time at which the made-up certificates are checked.
var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

var (
	notBefore = time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC)
	notAfter  = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// rsaKeys are made once: generating them is the slow part.
var rsaKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	var keys []*rsa.PrivateKey
	for range 2 {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys = append(keys, key)
	}
	return keys
})

func p256(t testing.TB) *ecdsa.PrivateKey { return certtest.NewKey(t, elliptic.P256()) }

// entity is a certificate with its key.
type entity struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// template is the start of every made-up certificate.
func template(commonName string) *x509.Certificate {
	serial := make([]byte, 16)
	if _, err := rand.Read(serial); err != nil {
		panic(err)
	}
	serial[0] &= 0x7f
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      pkix.Name{CommonName: commonName},
		NotBefore:    notBefore,
		NotAfter:     notAfter,
	}
}

// issue signs a certificate for key; a nil issuer means self-signed.
func issue(t testing.TB, tmpl *x509.Certificate, key crypto.Signer, issuer *entity) *entity {
	t.Helper()
	cert := signed(t, tmpl, key.Public(), key, issuer)
	return &entity{cert, key}
}

func signed(t testing.TB, tmpl *x509.Certificate, public crypto.PublicKey, self crypto.Signer, issuer *entity) *x509.Certificate {
	t.Helper()
	parent, signer := tmpl, self
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, public, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// ca makes a CA template; pathLen -1 means none.
func ca(commonName string, pathLen int) *x509.Certificate {
	tmpl := template(commonName)
	tmpl.BasicConstraintsValid, tmpl.IsCA = true, true
	tmpl.MaxPathLen, tmpl.MaxPathLenZero = pathLen, pathLen == 0
	tmpl.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	return tmpl
}

// yubicoExt makes one of Yubico's extensions.
func yubicoExt(last int, value ...byte) pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 41482, 3, last}, Value: value}
}

// authority is a root, an intermediate and one card's device certificate.
type authority struct{ root, intermediate, device *entity }

// newAuthority makes an authority with the shape of Yubico's of 2024.
func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{}
	a.root = issue(t, ca("Test Attestation Root", 3), p256(t), nil)
	a.intermediate = issue(t, ca("Test PIV Attestation A 1", 1), p256(t), a.root)
	a.device = issue(t, deviceTemplate(), p256(t), a.intermediate)
	return a
}

func deviceTemplate() *x509.Certificate {
	tmpl := template("YubiKey PIV Attestation")
	tmpl.BasicConstraintsValid, tmpl.IsCA, tmpl.MaxPathLenZero = true, true, true
	tmpl.ExtraExtensions = []pkix.Extension{yubicoExt(3, 5, 7, 4)}
	return tmpl
}

func (a *authority) trust() attestation.Trust {
	return attestation.Trust{
		Roots:         []*x509.Certificate{a.root.cert},
		Intermediates: []*x509.Certificate{a.intermediate.cert},
		Now:           func() time.Time { return now },
	}
}

// extensions of a slot certificate from card 12345678, firmware 5.7.4.
func slotExtensions() map[int]pkix.Extension {
	return map[int]pkix.Extension{
		3: yubicoExt(3, 5, 7, 4),
		7: yubicoExt(7, 0x02, 0x04, 0x00, 0xbc, 0x61, 0x4e),
		8: yubicoExt(8, 2, 1),
		9: yubicoExt(9, 3),
	}
}

const slotSerial = 12345678

// attest makes a slot certificate; edit may change it before it is signed.
func attest(t testing.TB, device *entity, public crypto.PublicKey, edit func(tmpl *x509.Certificate, ext map[int]pkix.Extension)) *x509.Certificate {
	t.Helper()
	tmpl := template("YubiKey PIV Attestation 9d")
	ext := slotExtensions()
	if edit != nil {
		edit(tmpl, ext)
	}
	for last := range 20 {
		if e, ok := ext[last]; ok {
			tmpl.ExtraExtensions = append(tmpl.ExtraExtensions, e)
		}
	}
	if key, ok := public.(*ecdh.PublicKey); ok {
		return attestX25519(t, device, tmpl, key)
	}
	return signed(t, tmpl, public, nil, device)
}

// attestX25519 signs a certificate for a key that crypto/x509 does not issue
// for: it puts the key into a certificate made for another one.
func attestX25519(t testing.TB, device *entity, tmpl *x509.Certificate, key *ecdh.PublicKey) *x509.Certificate {
	t.Helper()
	other, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := signed(t, tmpl, other, nil, device)
	from, err := x509.MarshalPKIXPublicKey(other)
	if err != nil {
		t.Fatal(err)
	}
	to, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	tbs := bytes.Replace(cert.RawTBSCertificate, from, to, 1)
	digest := crypto.SHA256.New()
	digest.Write(tbs)
	signature, err := device.key.Sign(rand.Reader, digest.Sum(nil), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: tbs},
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}},
		asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	if err != nil {
		t.Fatal(err)
	}
	cert, err = x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// fromFile reads the one certificate of a PEM file under testdata.
func fromFile(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		t.Fatalf("%s: no PEM", name)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// request makes a PKCS#10 request for a key.
func request(t testing.TB, key crypto.Signer) *x509.CertificateRequest {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "Ada"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	return csr
}
