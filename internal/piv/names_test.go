package piv

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

func TestParseSlot(t *testing.T) {
	for text, want := range map[string]Slot{"9a": 0x9A, "9D": 0x9D, "0x9c": 0x9C, "0X9E": 0x9E, "82": 0x82, "95": 0x95, "8F": 0x8F} {
		if got, err := ParseSlot(text); err != nil || got != want {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "9b", "f9", "81", "96", "9", "09d", "9d ", "0x", "-9d", "+9d", "9_d", "0x0x9d", "signature"} {
		if got, err := ParseSlot(text); err == nil {
			t.Errorf("%q is slot %s", text, got)
		}
	}
}

func TestSlots(t *testing.T) {
	seen := map[pcsc.Object]Slot{}
	for _, slot := range Slots() {
		back, err := ParseSlot(slot.String())
		if err != nil || back != slot || !slot.Valid() || slot.Name() == "unknown" {
			t.Errorf("%s: %v, %v, %q", slot, back, err, slot.Name())
		}
		if other, twice := seen[slot.object()]; twice {
			t.Errorf("%s and %s have the same object", slot, other)
		}
		seen[slot.object()] = slot
	}
	if len(seen) != 24 {
		t.Errorf("%d slots", len(seen))
	}
	// SP 800-73-4 part 1, table 3: the first and the last retired certificate.
	if SlotRetiredFirst.object() != 0x5FC10D || SlotRetiredLast.object() != 0x5FC120 {
		t.Errorf("retired: %06X to %06X", SlotRetiredFirst.object(), SlotRetiredLast.object())
	}
	encoded, err := json.Marshal(map[string]any{"slot": SlotKeyManagement, "version": Version{5, 7, 4}, "factory": Yes})
	if err != nil || string(encoded) != `{"factory":"yes","slot":"9d","version":"5.7.4"}` {
		t.Errorf("%s, %v", encoded, err)
	}
}

func TestParseAlgorithmAndPolicies(t *testing.T) {
	for _, algorithm := range Algorithms() {
		if got, err := ParseAlgorithm(string(algorithm)); err != nil || got != algorithm {
			t.Errorf("%s: %s, %v", algorithm, got, err)
		}
	}
	if got, err := ParseAlgorithm("RSA2048"); err != nil || got != RSA2048 {
		t.Errorf("capitals: %s, %v", got, err)
	}
	for _, text := range []string{"", "rsa", "rsa512", "p256", "eccp521"} {
		if _, err := ParseAlgorithm(text); err == nil {
			t.Errorf("%q is an algorithm", text)
		}
	}
	if got, err := ParsePINPolicy("Always"); err != nil || got != PINAlways {
		t.Errorf("PIN policy: %s, %v", got, err)
	}
	if _, err := ParsePINPolicy("match-once"); err == nil {
		t.Error("a policy that cannot be asked for parses")
	}
	if got, err := ParseTouchPolicy("cached"); err != nil || got != TouchCached {
		t.Errorf("touch policy: %s, %v", got, err)
	}
	if _, err := ParseTouchPolicy("once"); err == nil {
		t.Error("a PIN policy parses as a touch policy")
	}
	if pin, touch := policiesFromCard(9, 0); pin != PINUnknown || touch != TouchUnknown {
		t.Errorf("unknown bytes: %s, %s", pin, touch)
	}
}

func TestAlgorithmOf(t *testing.T) {
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdh.P384().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := AlgorithmOf(p384.PublicKey()); !ok || got != ECCP384 {
		t.Errorf("P-384: %s", got)
	}
	for _, public := range []any{nil, p521.Public(), "key"} {
		if got, ok := AlgorithmOf(public); ok {
			t.Errorf("%T is %s", public, got)
		}
	}
}

func TestSupports(t *testing.T) {
	for _, test := range []struct {
		firmware  string
		algorithm Algorithm
		ok        bool
	}{
		{"5.7.4", RSA4096, true}, {"5.7.0", X25519, true}, {"5.4.3", RSA2048, true}, {"5.4.3", ECCP384, true},
		{"5.6.9", RSA3072, false}, {"5.4.3", RSA4096, false}, {"5.4.3", Ed25519, false}, {"3.5.0", ECCP384, false},
		{"4.1.9", RSA2048, true}, {"4.2.0", RSA2048, false}, {"4.3.4", RSA1024, false}, {"4.3.5", RSA2048, true},
		{"4.2.8", ECCP256, true}, {"5.7.4", "dsa", false},
	} {
		var firmware Version
		if _, err := fmt.Sscanf(test.firmware, "%d.%d.%d", &firmware.Major, &firmware.Minor, &firmware.Patch); err != nil {
			t.Fatal(err)
		}
		err := Supports(firmware, test.algorithm)
		var unsupported *UnsupportedError
		if test.ok != (err == nil) || !test.ok && !errors.As(err, &unsupported) {
			t.Errorf("%s on %s: %v", test.algorithm, test.firmware, err)
		}
	}
}

func TestVersion(t *testing.T) {
	if text := (Version{5, 7, 0}).String(); text != "5.7.0" {
		t.Error(text)
	}
	v := Version{5, 3, 2}
	for _, test := range []struct {
		major, minor, patch int
		want                bool
	}{{5, 3, 2, true}, {5, 3, 1, true}, {5, 2, 9, true}, {4, 9, 9, true}, {5, 3, 3, false}, {5, 4, 0, false}, {6, 0, 0, false}} {
		if v.AtLeast(test.major, test.minor, test.patch) != test.want {
			t.Errorf("%v at least %d.%d.%d", v, test.major, test.minor, test.patch)
		}
	}
}

func TestModel(t *testing.T) {
	for _, test := range []struct {
		major  int
		factor byte
		nfc    uint16
		want   string
	}{
		{5, 3, 0x23B, "YubiKey 5C NFC"}, {5, 3, 0, "YubiKey 5C"}, {5, 1, 1, "YubiKey 5 NFC"}, {5, 2, 0, "YubiKey 5 Nano"},
		{5, 5, 0, "YubiKey 5Ci"}, {5, 0x83, 1, "YubiKey 5C NFC FIPS"}, {5, 0, 0, "YubiKey 5"}, {4, 1, 0, "YubiKey 4"}, {1, 0, 0, "YubiKey NEO"},
	} {
		if got := model(Version{Major: test.major}, pcsc.DeviceInfo{FormFactor: test.factor, NFCSupported: test.nfc}); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

func FuzzParseSlot(f *testing.F) {
	f.Add("9d")
	f.Add("0x82")
	f.Fuzz(func(t *testing.T, text string) {
		slot, err := ParseSlot(text)
		if err != nil {
			return
		}
		if back, err := ParseSlot(slot.String()); err != nil || back != slot || !slot.Valid() {
			t.Errorf("%q is %s, and that is %s, %v", text, slot, back, err)
		}
	})
}

// TestModels: which cards are of the FIPS series or a Bio, and which keys they take.
func TestModels(t *testing.T) {
	for _, test := range []struct {
		id        Identity
		fips, bio bool
	}{
		{Identity{Firmware: Version{5, 7, 4}, FormFactor: 0x03}, false, false},
		{Identity{Firmware: Version{5, 7, 4}, FormFactor: 0x83}, true, false},
		{Identity{Firmware: Version{4, 4, 5}}, true, false},
		{Identity{Firmware: Version{5, 7, 4}, FormFactor: 0x06}, false, true},
		{Identity{Firmware: Version{5, 7, 4}, FormFactor: 0x87}, true, true},
	} {
		if test.id.FIPS() != test.fips || test.id.Bio() != test.bio {
			t.Errorf("%+v: FIPS %v, Bio %v", test.id, test.id.FIPS(), test.id.Bio())
		}
		for slot, policy := range map[Slot]PINPolicy{SlotKeyManagement: PINNever, SlotCardAuthentication: PINDefault, 0x82: PINOnce, SlotSignature: PINDefault} {
			var refused *PolicyError
			if err := test.id.CheckPolicy(slot, policy); errors.As(err, &refused) != (test.fips && slot == SlotKeyManagement) {
				t.Errorf("%+v, slot %s, %s: %v", test.id, slot, policy, err)
			}
		}
	}
}
