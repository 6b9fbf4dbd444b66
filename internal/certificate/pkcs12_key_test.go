package certificate_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// checkKeys compares what was read of a PKCS#12 with what is in it.
func checkKeys(t *testing.T, name string, found []certificate.PrivateKey, err error, want ...crypto.Signer) {
	t.Helper()
	if err != nil || len(found) != len(want) {
		t.Errorf("%s: %d keys, %v", name, len(found), err)
		return
	}
	for i, entry := range found {
		if !entry.Key.(interface{ Equal(crypto.PrivateKey) bool }).Equal(want[i]) || entry.Certificate == nil || !certificate.SameKey(entry.Certificate.PublicKey, want[i].Public()) {
			t.Errorf("%s: key %d is another one, or its certificate is", name, i)
		}
	}
}

func TestPrivateKeys(t *testing.T) {
	key, chain := newKeyAndChain(t)
	const password = "correct h\u00f6rse"
	for name, encoder := range map[string]*pkcs12.Encoder{"RC2": pkcs12.LegacyRC2, "3DES": pkcs12.LegacyDES, "AES": pkcs12.Modern2023, "PBMAC1": pkcs12.Modern2026} {
		file, err := encoder.Encode(key, chain[0], chain[1:], password)
		if err != nil {
			t.Fatal(err)
		}
		for form, data := range map[string][]byte{name: file, name + ", BER": toBER(t, file)} {
			found, err := certificate.ParsePrivateKeys(data, secret.FromString(password))
			checkKeys(t, form, found, err, key)
			for _, wrong := range []string{"", "correct horse"} {
				if found, err := certificate.ParsePrivateKeys(data, secret.FromString(wrong)); !errors.Is(err, certificate.ErrPassword) {
					t.Errorf("%s with the password %q: %d keys, %v", form, wrong, len(found), err)
				}
			}
		}
		if file, err = encoder.Encode(key, chain[0], nil, ""); err != nil {
			t.Fatal(err)
		}
		found, err := certificate.ParsePrivateKeys(file, secret.Secret{})
		checkKeys(t, name+", empty password", found, err, key)
	}
	store, err := pkcs12.Modern2023.EncodeTrustStore(chain, password)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"a chain alone": store, "certificates": certificate.EncodePEM(chain...)} {
		var kind *certificate.KindError
		if _, err := certificate.ParsePrivateKeys(data, secret.FromString(password)); !errors.As(err, &kind) || !strings.Contains(err.Error(), "without a private key") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPrivateKeysFromOpenSSL: shapes that the library's own decoder has none of.
func TestPrivateKeysFromOpenSSL(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	cert := newCertificate(t, &x509.Certificate{}, key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole := []string{"-in", file("leaf.pem", certificate.EncodePEM(cert)), "-inkey", file("key.pem", toPEM("PRIVATE KEY", der))}
	for name, args := range map[string][]string{
		"as it is": nil, "legacy": {"-legacy"}, "certificates in the clear": {"-certpbe", "NONE"}, "no checksum": {"-nomac"},
		"nothing encrypted": {"-certpbe", "NONE", "-keypbe", "NONE", "-nomac"},
	} {
		out := openssl(t, slices.Concat([]string{"pkcs12", "-export", "-passout", "pass:pass word"}, whole, args)...)
		found, err := certificate.ParsePrivateKeys([]byte(out), secret.FromString("pass word"))
		checkKeys(t, name, found, err, key)
	}
}

// TestSeveralPrivateKeys are all returned, each with its certificate.
func TestSeveralPrivateKeys(t *testing.T) {
	var bags [][]byte
	var keys []crypto.Signer
	pkcs9 := func(kind []byte, value []byte) []byte { return tlv(0x30, false, kind, tlv(0xa0, false, value)) }
	for range 2 {
		key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		cert := newCertificate(t, &x509.Certificate{}, key)
		bags = append(bags, pkcs9(object(t, 1, 2, 840, 113549, 1, 12, 10, 1, 1), der),
			pkcs9(object(t, 1, 2, 840, 113549, 1, 12, 10, 1, 3), pkcs9(object(t, 1, 2, 840, 113549, 1, 9, 22, 1), tlv(4, false, cert.Raw))))
		keys = append(keys, key)
	}
	data := object(t, 1, 2, 840, 113549, 1, 7, 1)
	contents := pkcs9(data, tlv(4, false, tlv(0x30, false, bags...)))
	file := tlv(0x30, false, []byte{2, 1, 3}, pkcs9(data, tlv(4, false, tlv(0x30, false, contents))))
	found, err := certificate.ParsePrivateKeys(file, secret.Secret{})
	checkKeys(t, "two keys", found, err, keys...)
	if list, err := certificate.Parse(file); err != nil || len(list) != 2 {
		t.Errorf("%d certificates, %v", len(list), err)
	}
}

// TestPrivateKeysOfCards reads the PKCS#12 of GSA's test cards, retired keys among them.
func TestPrivateKeysOfCards(t *testing.T) {
	files, err := filepath.Glob("../../../shared/samples/cards/*/*.p12")
	if err != nil || len(files) == 0 {
		t.Skip("NOT TESTED: no samples in ../shared/samples/cards")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found, err := certificate.ParsePrivateKeys(data, secret.Secret{})
		// In slots 9A and 9E of card 23 the certificate is of another key.
		other := strings.Contains(file, "23/3_") || strings.Contains(file, "23/6_")
		if err != nil || len(found) != 1 || (found[0].Certificate == nil) != other {
			t.Errorf("%s: %d keys, %v", file, len(found), err)
		}
	}
}

func FuzzParsePrivateKeys(f *testing.F) {
	key, chain := newKeyAndChain(f)
	file, err := pkcs12.Passwordless.Encode(key, chain[0], chain[1:], "")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	if file, err = pkcs12.Modern2023.WithIterations(1).Encode(key, chain[0], nil, ""); err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := certificate.ParsePrivateKeys(data, secret.Secret{})
		if (err == nil) == (len(found) == 0) {
			t.Errorf("%d keys, %v", len(found), err)
		}
	})
}
