package issued

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"software.sslmate.com/src/go-pkcs12"
)

// pair is a key with a certificate.
type pair struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

// newPair makes a key with a certificate that has some bytes of padding.
func newPair(t *testing.T, address string, padding int) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: strings.Repeat("x", padding)}, EmailAddresses: []string{address},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return pair{key, certificate}
}

func (p pair) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.certificate.Raw})
}

func (p pair) keyPEM(t *testing.T) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (p pair) pkcs12(t *testing.T, encoder *pkcs12.Encoder, password string) []byte {
	file, err := encoder.Encode(p.key, p.certificate, nil, password)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// folder writes files and returns where they are.
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// certificateOf takes the certificate out of a data object that is not packed.
func certificateOf(t *testing.T, object []byte) *x509.Certificate {
	t.Helper()
	if len(object) < 9 || object[0] != 0x70 {
		t.Fatalf("% X is no certificate object", object)
	}
	certificate, err := x509.ParseCertificate(object[4 : len(object)-5])
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func TestPlainNames(t *testing.T) {
	signing, reading, old, large := newPair(t, "a@x.example", 0), newPair(t, "b@x.example", 0), newPair(t, "a@x.example", 0), newPair(t, "c@x.example", 3100)
	object := []byte{0x70, 0x01, 0x42, 0x71, 0x01, 0x00, 0xfe, 0x00}
	card, err := Load(folder(t, map[string][]byte{
		"9c.PEM": append([]byte("Subject: somebody\n"), signing.pem()...), "9C.p12": reading.pkcs12(t, pkcs12.LegacyDES, "secret"),
		"9d.pfx": reading.pkcs12(t, pkcs12.Modern2023, "secret"),
		"82.der": old.certificate.Raw, "82.key": old.keyPEM(t),
		"95.crt":    large.pem(),
		"9a.bin":    append([]byte{0x53, byte(len(object))}, object...),
		"9a.p12":    old.pkcs12(t, pkcs12.LegacyRC2, "secret"),
		"chuid.bin": {0x30, 0x00}, "ccc.bin": {0xf0, 0x00}, "key-history.bin": {0xc1, 0x01, 0x02},
		"password.txt": []byte("secret\r\n"), "notes.txt": []byte("for nobody"), "9b.pem": signing.pem(),
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(card.Keys)); !slices.Equal(got, []byte{0x82, 0x9a, 0x9c, 0x9d}) {
		t.Errorf("keys in % x", got)
	}
	if !signing.certificate.Equal(certificateOf(t, card.Objects[0x5fc10a])) || !reading.key.Equal(card.Keys[0x9c]) {
		t.Error("the certificate that is in a file beside is not the card's, or the key that differs from it is not")
	}
	if !reading.certificate.Equal(certificateOf(t, card.Objects[0x5fc10b])) || !reading.key.Equal(card.Keys[0x9d]) {
		t.Error("9d is not what its PKCS#12 file holds")
	}
	if !old.certificate.Equal(certificateOf(t, card.Objects[0x5fc10d])) || !old.key.Equal(card.Keys[0x82]) {
		t.Error("82 is not what its files hold")
	}
	if got := card.Objects[0x5fc105]; !bytes.Equal(got, object) {
		t.Errorf("9a is % x", got)
	}
	if got := card.Objects[0x5fc120]; len(got) > 1000 || !bytes.Contains(got, []byte{0x71, 0x01, 0x01}) {
		t.Errorf("95 has %d bytes, and is not packed", len(got))
	}
	for tag, want := range map[uint32][]byte{0x5fc102: {0x30, 0x00}, 0x5fc107: {0xf0, 0x00}, 0x5fc10c: {0xc1, 0x01, 0x02}} {
		if !bytes.Equal(card.Objects[tag], want) {
			t.Errorf("%06X is % x", tag, card.Objects[tag])
		}
	}
	if diff := cmp.Diff([]string{"a@x.example", "b@x.example", "c@x.example"}, card.Addresses); diff != "" {
		t.Errorf("addresses: %s", diff)
	}
	if diff := cmp.Diff([]string{"9b.pem", "notes.txt"}, card.Unused); diff != "" {
		t.Errorf("unused: %s", diff)
	}
}

func TestBadFolders(t *testing.T) {
	p := newPair(t, "a@x.example", 0)
	for name, test := range map[string]struct {
		files map[string][]byte
		says  string
	}{
		"nothing for a card":   {map[string][]byte{"readme.txt": nil}, "no file in it is named"},
		"two certificates":     {map[string][]byte{"9c.pem": p.pem(), "9c.crt": p.pem()}, "9c.crt and 9c.pem are both the certificate of slot 9c"},
		"two names":            {map[string][]byte{"9c.pem": p.pem(), "4_-_Dig_Sig.crt": p.pem()}, "are both the certificate of slot 9c"},
		"two keys":             {map[string][]byte{"9c.p12": p.pkcs12(t, pkcs12.Modern2023, ""), "9c.key": p.keyPEM(t)}, "9c.key: there is a PKCS#12 file"},
		"object and file":      {map[string][]byte{"9c.pem": p.pem(), "9c.bin": {0x70, 0x00}}, "9c.pem: the data object of slot 9c is there as well"},
		"wrong password":       {map[string][]byte{"9c.p12": p.pkcs12(t, pkcs12.Modern2023, "x")}, "9c.p12: its password is not"},
		"no PKCS#12":           {map[string][]byte{"9c.p12": p.pem()}, "9c.p12: pkcs12"},
		"no certificate":       {map[string][]byte{"9c.pem": []byte("hello")}, "9c.pem: x509"},
		"a key for it":         {map[string][]byte{"9c.pem": p.keyPEM(t)}, "9c.pem: it holds a PRIVATE KEY"},
		"a chain":              {map[string][]byte{"9c.pem": append(p.pem(), p.pem()...)}, "more than one certificate"},
		"a certificate for it": {map[string][]byte{"9c.key": p.pem()}, "9c.key: it holds a CERTIFICATE"},
		"no key":               {map[string][]byte{"9c.key": []byte("hello")}, "9c.key: no private key"},
		"too large":            {map[string][]byte{"chuid.bin": make([]byte, 1<<20)}, "chuid.bin: it has 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, test.files)
			_, err := Load(dir)
			if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v, want %q", err, test.says)
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "9c.pem"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "it is not a file") {
		t.Errorf("a folder as a certificate: %v", err)
	}
}

// TestICAMCards reads the GSA's test cards, and says of each in which slots the
// key is not the certificate's.
func TestICAMCards(t *testing.T) {
	const cards = "../../../../shared/samples/cards"
	if _, err := os.Stat(cards); err != nil {
		t.Skipf("NOT TESTED: there is no %s: the GSA's test cards were not read", cards)
	}
	four := []byte{0x9a, 0x9c, 0x9d, 0x9e}
	for name, want := range map[string]struct{ slots, differ []byte }{
		"13": {four, nil},
		"23": {four, []byte{0x9a, 0x9e}},
		"37": {append([]byte{0x82, 0x83, 0x84, 0x85, 0x86}, four...), nil},
		"46": {four, nil},
	} {
		t.Run(name, func(t *testing.T) {
			card, err := Load(filepath.Join(cards, name))
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Sorted(maps.Keys(card.Keys)); !slices.Equal(got, want.slots) {
				t.Errorf("keys in % x, want % x", got, want.slots)
			}
			var differ []byte
			for _, slot := range want.slots {
				certificate := certificateOf(t, card.Objects[item{slot: slot}.object()])
				public := card.Keys[slot].(crypto.Signer).Public().(interface{ Equal(crypto.PublicKey) bool })
				if !public.Equal(certificate.PublicKey) {
					differ = append(differ, slot)
				}
			}
			if !slices.Equal(differ, want.differ) {
				t.Errorf("key and certificate differ in % x, want % x", differ, want.differ)
			}
			if card.Objects[tagCHUID][0] != 0x30 || card.Objects[tagCCC][0] != 0xf0 {
				t.Error("CHUID or CCC is not one")
			}
			if history := card.Objects[tagKeyHistory]; (name == "37") != (len(history) > 0) {
				t.Errorf("key history % x", history)
			}
			if diff := cmp.Diff([]string{"icam.test.cards@gsa.gov"}, card.Addresses); diff != "" {
				t.Errorf("addresses: %s", diff)
			}
			if len(card.Unused) > 0 {
				t.Errorf("unused: %q", card.Unused)
			}
		})
	}
}

func FuzzItemOf(f *testing.F) {
	for _, name := range []string{"9c.pem", "chuid.bin", "4_-_ICAM_PIV_Dig_Sig_SP_800-73-4.p12", "33 - x.crt", "34 - x.crt", "99_-_"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if it, ok := itemOf(name); ok && (it.object()>>16 != 0x5f || it.slot != 0 && !isSlot(it.slot)) {
			t.Errorf("%q is %v", name, it)
		}
	})
}
