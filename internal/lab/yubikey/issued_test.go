package yubikey

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"
)

func issuedContents(t *testing.T) Contents {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Contents{
		PIN: "998877", PUK: "11335577", ManagementKey: bytes.Repeat([]byte{0xab, 0xcd, 0xef}, 8),
		Keys:    map[byte]crypto.PrivateKey{0x9c: key, 0x82: key},
		Objects: map[uint32][]byte{0x5fc102: {0x30, 0x00}, 0x5fc10a: {0x70, 0x01, 0x42}},
	}
}

// TestIssuedCard looks at a card that somebody else issued, over the wire, on each
// kind of firmware, and again after it was taken home.
func TestIssuedCard(t *testing.T) {
	for _, firmware := range []Version{v437, v543, v574} {
		contents := issuedContents(t)
		managementKey := contents.ManagementKey
		file := filepath.Join(t.TempDir(), "card.json")
		issued := func(c *Config) { c.Contents, c.StateFile = &contents, file }
		for range 2 {
			h := newHost(t, firmware, issued)
			if got := h.ok(0x00, insGetData, 0x3f, 0xff, []byte{0x5c, 0x03, 0x5f, 0xc1, 0x0a}); !bytes.Equal(got, []byte{0x53, 0x03, 0x70, 0x01, 0x42}) {
				t.Errorf("%v: the certificate object is % x", firmware, got)
			}
			if _, sw := h.send(0x00, insVerify, 0x00, referencePIN, padReference(factoryPIN)); sw != triesLeft(2) {
				t.Errorf("%v: the factory PIN answered %04x", firmware, uint16(sw))
			}
			h.ok(0x00, insVerify, 0x00, referencePIN, padReference("998877"))
			snapshot := h.Snapshot()
			if got := snapshot.Slots[0x9c]; got.Origin != "imported" || got.PINPolicy != "always" || got.Algorithm != "eccp256" {
				t.Errorf("%v: 9c is %+v", firmware, got)
			}
			if got := snapshot.Slots[0x82]; got.PINPolicy != "once" {
				t.Errorf("%v: 82 is %+v", firmware, got)
			}
			if snapshot.PUK.Default || snapshot.PUK.Value != "11335577" || snapshot.ManagementKey.Default || !bytes.Equal(snapshot.ManagementKey.Value, managementKey) {
				t.Errorf("%v: PUK %+v, management key %+v", firmware, snapshot.PUK, snapshot.ManagementKey)
			}
			contents = Contents{} // what the file says counts from now on
		}
	}
}

func TestContentsThatFitNoCard(t *testing.T) {
	large, err := pooledRSA(4096)
	if err != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(*Contents){
		"slot 9c: firmware 5.4.3 takes no rsa4096 key":   func(c *Contents) { c.Keys[0x9c] = large },
		"slot 9c: no slot holds a key of type string":    func(c *Contents) { c.Keys[0x9c] = "key" },
		"f9 is no slot for a key":                        func(c *Contents) { c.Keys[0xf9] = large },
		"data object 5FC102: 3062 bytes, where 3061 fit": func(c *Contents) { c.Objects[0x5fc102] = make([]byte, 3062) },
		"the data objects have": func(c *Contents) {
			for i := range uint32(20) {
				c.Objects[0x5fc10d+i] = make([]byte, 3000)
			}
		},
		"a PIN or PUK has 6 to 8 characters, not 5": func(c *Contents) { c.PIN = "12345" },
		"the management key has 24 bytes, not 16":   func(c *Contents) { c.ManagementKey = make([]byte, 16) },
	} {
		contents := issuedContents(t)
		change(&contents)
		_, err := New(Config{Firmware: v543, Authority: testAuthority(), GenerateRSA: pooledRSA, Contents: &contents})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
}
