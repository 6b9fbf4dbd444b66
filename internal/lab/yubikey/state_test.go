package yubikey

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func inFile(path string) func(*Config) {
	return func(c *Config) { c.StateFile = path }
}

// used does something of everything to a card.
func used(h *host) {
	h.Helper()
	for slot, a := range map[slotID]algorithm{
		0x9a: rsa1024, 0x9c: eccP256, 0x9d: eccP384, 0x9e: ed25519Key, 0x82: x25519Key,
	} {
		h.generateIn(slot, a, pinNever, touchCached)
	}
	storeObject(h, 0x5fc102, 59)
	h.ok(0, insChangeReference, 0, referencePIN, pins(factoryPIN, "24681\xff0"))
	h.refused(0x63c2, 0, insVerify, 0, referencePIN, padReference("000000"))
	h.refused(0x63c2, 0, insChangeReference, 0, referencePUK, pins("00000000", "11111111"))
	h.manage()
	h.ok(0, insSetManagementKey, 0xff, 0xfd, setManagementData(aes256, bytes.Repeat([]byte{0x5a}, 32)))
}

func TestCardTakenHome(t *testing.T) {
	path := filepath.Join(t.TempDir(), "card.json")
	office := newHost(t, v574, inFile(path))
	used(office)
	before := office.Snapshot()

	// What the configuration says of another card does not count, and there is
	// no authority at home.
	home := newHost(t, v543, inFile(path), func(c *Config) {
		c.Serial, c.FormFactor, c.Authority, c.PINComplexity = 1, FormFactorUSBANano, nil, true
	})
	after := home.Snapshot()
	after.Touches = before.Touches
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the card was\n%+v\nand is\n%+v", before, after)
	}
	if err := home.attestation(0x9d).CheckSignatureFrom(deviceCertificateOf(office)); err != nil {
		t.Errorf("attestation: %v", err)
	}
	home.manage()
	home.verifyPIN("24681\xff0")
}

func TestEveryTryIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "card.json")
	for want := 2; want >= 0; want-- {
		h := newHost(t, v574, inFile(path))
		h.refused(triesLeft(want), 0, insVerify, 0, referencePIN, padReference("000000"))
	}
	newHost(t, v574, inFile(path)).refused(swBlocked, 0, insVerify, 0, referencePIN, nil)
}

func TestStateFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "card.json")
	newHost(t, v574, inFile(path))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, want 0600", info.Mode())
	}
}

func TestFailedSaveTakesTheChangeBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lab")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, v574, inFile(filepath.Join(dir, "card.json")))
	h.generateIn(slotSignature, eccP256, pinNever, 0)
	h.manage()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	h.refused(swMemoryFailure, 0, insGenerateKeyPair, 0, byte(slotKeyManagement), generateData(eccP256, 0, 0))
	h.refused(swMemoryFailure, 0, insVerify, 0, referencePIN, padReference("000000"))
	s := h.Snapshot()
	if _, made := s.Slots[byte(slotKeyManagement)]; made || s.PIN.Tries != 3 {
		t.Errorf("the card has %+v after changes that it could not keep", s)
	}
	if sw := sign256(h, slotSignature); sw != swOK {
		t.Errorf("what it had does not work any more: %04x", uint16(sw))
	}
}

func TestStateFileRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "card.json")
	newHost(t, v574, inFile(path))
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(map[string]any){
		"another form":          func(s map[string]any) { s["format"] = 2 },
		"no version":            func(s map[string]any) { s["firmware"] = "new" },
		"no PIN":                func(s map[string]any) { delete(s, "pin") },
		"more tries than there": func(s map[string]any) { s["puk"].(map[string]any)["tries"] = 4 },
		"negative tries":        func(s map[string]any) { s["puk"].(map[string]any)["tries"] = -1 },
		"short management key":  func(s map[string]any) { s["management_key"].(map[string]any)["value"] = "AAAA" },
		"unknown cipher":        func(s map[string]any) { s["management_key"].(map[string]any)["algorithm"] = "rot13" },
		"unknown slot":          func(s map[string]any) { s["slots"].(map[string]any)["9b"] = nil },
		"empty slot":            func(s map[string]any) { s["slots"].(map[string]any)["9a"] = nil },
		"no private key":        func(s map[string]any) { s["slots"].(map[string]any)["f9"].(map[string]any)["pkcs8"] = "AAAA" },
		"another algorithm":     func(s map[string]any) { s["slots"].(map[string]any)["f9"].(map[string]any)["algorithm"] = "eccp384" },
		"unknown algorithm":     func(s map[string]any) { s["slots"].(map[string]any)["f9"].(map[string]any)["algorithm"] = "rsa512" },
		"no tag":                func(s map[string]any) { s["objects"] = map[string]any{"xx": "AA=="} },
		"unknown tag":           func(s map[string]any) { s["objects"] = map[string]any{"112233": "AA=="} },
	} {
		t.Run(name, func(t *testing.T) {
			var s map[string]any
			if err := json.Unmarshal(good, &s); err != nil {
				t.Fatal(err)
			}
			change(s)
			raw, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := New(Config{StateFile: path, Authority: testAuthority()}); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("error is %v, want one that names the file", err)
			}
		})
	}
}

func TestNewRefused(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a card was made without an authority")
	}
	if _, err := New(Config{Authority: testAuthority(), StateFile: t.TempDir()}); err == nil {
		t.Error("a card was made with a directory for its state")
	}
	missing := filepath.Join(t.TempDir(), "missing", "card.json")
	if _, err := New(Config{Authority: testAuthority(), StateFile: missing}); err == nil {
		t.Error("a card was made that cannot keep its state")
	}
}

func TestDefaults(t *testing.T) {
	card, err := New(Config{Authority: testAuthority()})
	if err != nil {
		t.Fatal(err)
	}
	if card.Firmware() != v574 || card.Serial() < 10_000_000 || card.Snapshot().FormFactor != FormFactorUSBCKeychain {
		t.Errorf("firmware %v, serial %d, form factor %02x", card.Firmware(), card.Serial(), card.Snapshot().FormFactor)
	}
}

func TestParseVersion(t *testing.T) {
	if v, err := ParseVersion("5.7.4"); err != nil || v != v574 {
		t.Errorf("5.7.4 is %v (%v)", v, err)
	}
	for _, s := range []string{"", "5", "5.7", "5.7.4.1", "5.7.256", "5.7.4 ", " 5.7.4", "05.7.4", "a.b.c", "5.7.-1", "5.7.4x"} {
		if v, err := ParseVersion(s); err == nil {
			t.Errorf("%q was read as %v", s, v)
		}
	}
}
