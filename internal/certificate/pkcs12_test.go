package certificate_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
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

// newKeyAndChain returns a key with its certificate and two more.
func newKeyAndChain(t testing.TB) (*ecdsa.PrivateKey, []*x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := newCertificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Kim"}}, key)
	return key, append([]*x509.Certificate{leaf}, newChain(t)[:2]...)
}

// toBER writes DER as BER does: no lengths, and octet strings in two pieces. Octet
// strings of a PKCS#12 are cut even where their tag is implicit. What the first of them
// holds is written so, too: in a PKCS#12 all that matters.
func toBER(t testing.TB, der []byte) []byte {
	t.Helper()
	first := true
	return berOf(der, &first)
}

func berOf(der []byte, first *bool) []byte {
	var out []byte
	for len(der) > 0 {
		tag, size, body := der[0], 2, int(der[1])
		if body > 0x80 {
			n := body - 0x80
			body = 0
			for _, b := range der[2 : 2+n] {
				body = body<<8 | int(b)
			}
			size += n
		}
		content := der[size : size+body]
		switch {
		case tag&0x20 != 0:
			out = append(out, tlv(tag, true, berOf(content, first))...)
		case tag == 4 || tag == 0x80:
			if *first && len(content) > 0 && content[0] == 0x30 {
				*first = false
				content = berOf(content, first)
			}
			half := len(content) / 2
			piece := func(data []byte) []byte { return append(tlv(4, false, data), nil...) }
			out = append(out, tlv(tag|0x20, true, piece(content[:half]), tlv(0x24, true, piece(content[half:])))...)
		default:
			out = append(out, der[:size+body]...)
		}
		der = der[size+body:]
	}
	return out
}

func TestPKCS12(t *testing.T) {
	key, chain := newKeyAndChain(t)
	const password = "correct h\u00f6rse"
	for name, encoder := range map[string]*pkcs12.Encoder{"RC2": pkcs12.LegacyRC2, "3DES": pkcs12.LegacyDES, "AES": pkcs12.Modern2023, "PBMAC1": pkcs12.Modern2026} {
		file, err := encoder.Encode(key, chain[0], chain[1:], password)
		if err != nil {
			t.Fatal(err)
		}
		ber := toBER(t, file)
		for form, data := range map[string][]byte{
			name: file, name + ", base64": []byte(base64.StdEncoding.EncodeToString(file)), name + ", PEM": toPEM("PKCS12", file), name + ", BER": ber,
			name + ", octets after": append(slices.Clone(file), 0, 0),
		} {
			list, err := certificate.ParseWithPassword(data, secret.FromString(password))
			if err != nil {
				t.Errorf("%s: %v", form, err)
				continue
			}
			sameCerts(t, form, list, chain)
			for _, wrong := range []string{"", "correct horse", "\U0001f44b"} {
				if list, err := certificate.ParseWithPassword(data, secret.FromString(wrong)); !errors.Is(err, certificate.ErrPassword) {
					t.Errorf("%s with the password %q: %d certificates, %v", form, wrong, len(list), err)
				}
			}
		}
		if file, err = encoder.Encode(key, chain[0], chain[1:], ""); err != nil {
			t.Fatal(err)
		}
		list, err := certificate.Parse(file)
		if err != nil {
			t.Errorf("%s, empty password: %v", name, err)
		}
		sameCerts(t, name+", empty password", list, chain)
	}
	plain, err := pkcs12.Passwordless.Encode(key, chain[0], chain[1:], "")
	if err != nil {
		t.Fatal(err)
	}
	store, err := pkcs12.Modern2023.EncodeTrustStore(chain, password)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"no password": plain, "no password, BER": toBER(t, plain), "certificates alone": store} {
		list, err := certificate.ParseWithPassword(data, secret.FromString(password))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		sameCerts(t, name, list, chain)
	}
}

// TestPKCS12FromOpenSSL: what openssl exports is read, in shapes that the library's own
// decoder has none of: without a key, with more parts, certificates in the clear.
func TestPKCS12FromOpenSSL(t *testing.T) {
	key, chain := newKeyAndChain(t)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"key.pem": toPEM("PRIVATE KEY", der), "leaf.pem": certificate.EncodePEM(chain[0]), "more.pem": certificate.EncodePEM(chain[1:]...), "all.pem": certificate.EncodePEM(chain...)} {
		if err := os.WriteFile(file(name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	whole := []string{"-in", file("leaf.pem"), "-inkey", file("key.pem"), "-certfile", file("more.pem"), "-name", "Kim", "-caname", "one"}
	for name, args := range map[string][]string{
		"as it is": whole, "legacy": append(slices.Clone(whole), "-legacy"), "3DES": append(slices.Clone(whole), "-legacy", "-certpbe", "PBE-SHA1-3DES"),
		"certificates in the clear": append(slices.Clone(whole), "-certpbe", "NONE"), "nothing encrypted": append(slices.Clone(whole), "-certpbe", "NONE", "-keypbe", "NONE", "-nomac"),
		"no checksum": append(slices.Clone(whole), "-nomac"), "no key": {"-in", file("all.pem"), "-nokeys"}, "SHA-512": append(slices.Clone(whole), "-macalg", "SHA512"),
	} {
		for _, password := range []string{"pass word", ""} {
			out := openssl(t, append([]string{"pkcs12", "-export", "-passout", "pass:" + password}, args...)...)
			list, err := certificate.ParseWithPassword([]byte(out), secret.FromString(password))
			if err != nil {
				t.Errorf("%s, password %q: %v", name, password, err)
				continue
			}
			if name == "no key" { // which openssl sorts as it likes
				slices.SortFunc(list, func(a, b *x509.Certificate) int {
					return slices.IndexFunc(chain, a.Equal) - slices.IndexFunc(chain, b.Equal)
				})
			}
			sameCerts(t, name, list, chain)
		}
	}
}

// TestPKCS12InOnePart: keys and certificates in one encrypted part, as some programs write
// them: one key is dropped, and of several it is said that they are the trouble.
func TestPKCS12InOnePart(t *testing.T) {
	key, chain := newKeyAndChain(t)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	const password, rounds = "pass w\u00f6rd", 1000
	bag := func(last int, value []byte) []byte {
		return tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 12, 10, 1, last), tlv(0xa0, false, value))
	}
	x509Bag := func(cert *x509.Certificate) []byte {
		return bag(3, tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 9, 22, 1), tlv(0xa0, false, tlv(4, false, cert.Raw))))
	}
	var certificates []byte
	for _, cert := range chain {
		certificates = append(certificates, x509Bag(cert)...)
	}
	data := object(t, 1, 2, 840, 113549, 1, 7, 1)
	file := func(content []byte) []byte { // PBES2 with AES-256 and SHA-256
		salt, iv := make([]byte, 16), make([]byte, aes.BlockSize)
		derived, err := pbkdf2.Key(sha256.New, password, salt, rounds, 32)
		if err != nil {
			t.Fatal(err)
		}
		block, err := aes.NewCipher(derived)
		if err != nil {
			t.Fatal(err)
		}
		content = tlv(0x30, false, content)
		padding := aes.BlockSize - len(content)%aes.BlockSize
		content = append(content, bytes.Repeat([]byte{byte(padding)}, padding)...)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(content, content)
		hash := tlv(0x30, false, object(t, 1, 2, 840, 113549, 2, 9), []byte{5, 0})
		derivation := tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 5, 12), tlv(0x30, false, tlv(4, false, salt), []byte{2, 2, rounds >> 8, rounds & 0xff}, hash))
		algorithm := tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 5, 13), tlv(0x30, false, derivation, tlv(0x30, false, object(t, 2, 16, 840, 1, 101, 3, 4, 1, 42), tlv(4, false, iv))))
		part := tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 7, 6), tlv(0xa0, false, tlv(0x30, false, []byte{2, 1, 0}, tlv(0x30, false, data, algorithm, tlv(0x80, false, content)))))
		return tlv(0x30, false, []byte{2, 1, 3}, tlv(0x30, false, data, tlv(0xa0, false, tlv(4, false, tlv(0x30, false, part)))))
	}
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"one key":     {slices.Concat(bag(1, pkcs8), certificates), ""},
		"key behind":  {slices.Concat(certificates, bag(1, pkcs8)), ""},
		"two keys":    {slices.Concat(bag(1, pkcs8), bag(1, pkcs8), certificates), "several private keys"},
		"no key":      {certificates, ""},
		"chain alone": {slices.Concat(x509Bag(chain[0]), x509Bag(chain[1]), x509Bag(chain[2])), ""},
	} {
		for form, data := range map[string][]byte{"DER": file(c.content), "BER": toBER(t, file(c.content))} {
			list, err := certificate.ParseWithPassword(data, secret.FromString(password))
			switch {
			case c.says != "":
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s, %s: %d certificates, %v", name, form, len(list), err)
				}
			case err != nil:
				t.Errorf("%s, %s: %v", name, form, err)
			default:
				sameCerts(t, name, list, chain)
			}
			if list, err := certificate.ParseWithPassword(data, secret.FromString("another")); !errors.Is(err, certificate.ErrPassword) {
				t.Errorf("%s, %s, wrong password: %d certificates, %v", name, form, len(list), err)
			}
		}
	}
}

// TestPKCS12Refuses: bounds, other protections, damage.
func TestPKCS12Refuses(t *testing.T) {
	data, encrypted := object(t, 1, 2, 840, 113549, 1, 7, 1), object(t, 1, 2, 840, 113549, 1, 7, 6)
	file := func(safes ...[]byte) []byte {
		return tlv(0x30, false, []byte{2, 1, 3}, tlv(0x30, false, data, tlv(0xa0, false, tlv(4, false, tlv(0x30, false, safes...)))))
	}
	slow := func(iterations ...byte) []byte {
		parameters := tlv(0x30, false, []byte{4, 2, 1, 2}, tlv(2, false, iterations))
		algorithm := tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 12, 1, 3), parameters)
		content := tlv(0x30, false, data, algorithm, tlv(0x80, false, make([]byte, 16)))
		return tlv(0x30, false, encrypted, tlv(0xa0, false, tlv(0x30, false, []byte{2, 1, 0}, content)))
	}
	for name, data := range map[string][]byte{
		"two thousand million iterations": file(slow(0x7f, 0xff, 0xff, 0xff)),
		"more than there are numbers for": file(slow(0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)),
		"a round more than is done":       file(slow(0x1b, 0xf8, 0x29)),
		"fewer than none":                 file(slow(0xff)),
		"signed":                          tlv(0x30, false, []byte{2, 1, 3}, signedData(t, false, object(t, 1, 2, 840, 113549, 1, 7, 2), nil)),
		"empty":                           tlv(0x30, false, []byte{2, 1, 3}, tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 7, 1), tlv(0xa0, false, tlv(4, false, tlv(0x30, false))))),
		"no content":                      tlv(0x30, false, []byte{2, 1, 3}, tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 7, 1))),
	} {
		list, err := certificate.ParseWithPassword(data, secret.FromString("x"))
		if strings.Contains(name, " ") != is[*certificate.TooLargeError](err) && name != "no content" {
			t.Errorf("%s: %v", name, err)
		}
		if !errors.Is(err, certificate.ErrUnreadable) || errors.Is(err, certificate.ErrPassword) {
			t.Errorf("%s: %d certificates, %v", name, len(list), err)
		}
	}
	// GnuTLS's rounds are no more than is done, of which derivation they may be.
	list, err := certificate.ParseWithPassword(file(slow(0x09, 0x27, 0xc0), slow(0x09, 0x27, 0xc0)), secret.FromString("x"))
	if !errors.Is(err, certificate.ErrPassword) {
		t.Errorf("six hundred thousand iterations: %d certificates, %v", len(list), err)
	}
}

func is[T error](err error) bool {
	_, found := errors.AsType[T](err)
	return found
}

func FuzzPKCS12(f *testing.F) {
	key, chain := newKeyAndChain(f)
	for _, encoder := range []*pkcs12.Encoder{pkcs12.LegacyRC2, pkcs12.LegacyDES, pkcs12.Modern2023} {
		file, err := encoder.WithIterations(1).Encode(key, chain[0], chain[1:], "x")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
		f.Add(toBER(f, file))
	}
	plain, err := pkcs12.Passwordless.Encode(key, chain[0], nil, "")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	password := secret.FromString("x")
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := certificate.ParseWithPassword(data, password)
		if (err == nil) != (len(list) > 0) || err != nil && !errors.Is(err, certificate.ErrUnreadable) {
			t.Fatalf("%d certificates and error %v", len(list), err)
		}
	})
}

// TestPKCS12Cipher: a PKCS#12 that is encrypted in a way that is not read is named by its cipher.
func TestPKCS12Cipher(t *testing.T) {
	derivation := tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 5, 12), tlv(0x30, false, tlv(4, false, make([]byte, 8)), []byte{2, 1, 1}))
	pbes2 := func(arcs ...int) []byte {
		scheme := tlv(0x30, false, object(t, arcs...), tlv(4, false, make([]byte, 8)))
		return tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 5, 13), tlv(0x30, false, derivation, scheme))
	}
	for cipher, algorithm := range map[string][]byte{
		"3DES by PBES2":      pbes2(1, 2, 840, 113549, 3, 7),
		"Camellia":           pbes2(1, 2, 392, 200011, 61, 1, 1, 1, 4),
		"ARIA":               pbes2(1, 2, 410, 200046, 1, 1, 12),
		"the cipher 1.2.3.4": pbes2(1, 2, 3, 4),
		"RC4":                tlv(0x30, false, object(t, 1, 2, 840, 113549, 1, 12, 1, 1), tlv(0x30, false, tlv(4, false, make([]byte, 8)), []byte{2, 1, 1})),
	} {
		data, encrypted := object(t, 1, 2, 840, 113549, 1, 7, 1), object(t, 1, 2, 840, 113549, 1, 7, 6)
		part := tlv(0x30, false, encrypted, tlv(0xa0, false, tlv(0x30, false, []byte{2, 1, 0}, tlv(0x30, false, data, algorithm, tlv(0x80, false, make([]byte, 16))))))
		file := tlv(0x30, false, []byte{2, 1, 3}, tlv(0x30, false, data, tlv(0xa0, false, tlv(4, false, tlv(0x30, false, part)))))
		_, err := certificate.ParseWithPassword(file, secret.FromString("x"))
		if unread, ok := errors.AsType[*certificate.CipherError](err); !ok || unread.Cipher != cipher || !errors.Is(err, certificate.ErrUnreadable) {
			t.Errorf("%s: %v", cipher, err)
		}
	}
}
