package piv_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

func TestParseManagementKey(t *testing.T) {
	for _, n := range []int{16, 24, 32} {
		want := bytes.Repeat([]byte{0xA5}, n)
		digits := hex.EncodeToString(want)
		for _, text := range []string{digits, strings.ToUpper(digits), digits + "\n", digits + "\r\n", "  \t" + digits + "   "} {
			got, err := piv.ParseManagementKey(secret.FromString(text))
			if err != nil || !got.Equal(secret.New(want)) {
				t.Errorf("%q: %d bytes, %v", text, got.Len(), err)
			}
		}
	}
	digits := strings.Repeat("c7", 24)
	for _, text := range []string{
		"", " ", "c7", digits[:46], digits[:47], digits + "c7", digits[:46] + "  ", digits[:44] + "\r\n\r\n", " " + digits[:46] + "\n",
		digits[:47] + "g", digits[:23] + " " + digits[:24], "0x" + digits, digits[:46] + "é", strings.Repeat("c7", 33),
	} {
		got, err := piv.ParseManagementKey(secret.FromString(text))
		if err == nil || !got.IsZero() {
			t.Errorf("%q is a key of %d bytes", text, got.Len())
		}
		if err != nil && strings.Contains(err.Error(), "c7") {
			t.Errorf("the key is in the error %q", err)
		}
	}
}

func FuzzParseManagementKey(f *testing.F) {
	f.Add(strings.Repeat("0102030405060708", 3))
	f.Add(strings.Repeat("c7", 23) + "\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := piv.ParseManagementKey(secret.FromString(text))
		if err != nil {
			return
		}
		if back := hex.EncodeToString(key.Reveal()); !strings.EqualFold(back, strings.TrimSpace(text)) {
			t.Errorf("%q became %s", text, back)
		}
	})
}

func TestNewSecretsAreGoodAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		key, err := piv.NewManagementKey()
		if err != nil || key.Len() != 24 || seen[string(key.Reveal())] {
			t.Fatalf("a key of %d bytes, %v, made before: %v", key.Len(), err, seen[string(key.Reveal())])
		}
		seen[string(key.Reveal())] = true
		puk, err := piv.NewPUK()
		if err != nil || piv.CheckPUK(puk) != nil || puk.Len() != 8 || strings.Trim(string(puk.Reveal()), "0123456789") != "" || puk.Equal(piv.FactoryPUK()) {
			t.Fatalf("a PUK of %d characters, %v", puk.Len(), err)
		}
		seen[string(puk.Reveal())] = true
	}
	if len(seen) < 99 {
		t.Errorf("only %d of 100 secrets are different", len(seen))
	}
}

// A 3DES key with other parity bits is the same key to the card.
func TestFactoryManagementKeyInDisguise(t *testing.T) {
	for hexadecimal, want := range map[string]bool{
		"010203040506070801020304050607080102030405060708": true,
		"000302050407060900030205040706090003020504070609": true,
		"010203040506070801020304050607080102030405060710": false,
		"01020304050607080102030405060708":                 false,
	} {
		key, err := piv.ParseManagementKey(secret.FromString(hexadecimal))
		if err != nil {
			t.Fatal(err)
		}
		if got := piv.IsFactoryManagementKey(key); got != want {
			t.Errorf("%s: %v", hexadecimal, got)
		}
	}
}
