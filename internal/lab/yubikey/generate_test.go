package yubikey

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"testing"
)

func TestGenerate(t *testing.T) {
	h := newHost(t, v574)
	for _, a := range algorithms {
		response := h.generateIn(slotKeyManagement, a, 0, 0)
		held := h.Snapshot().Slots[byte(slotKeyManagement)]
		if held.Algorithm != a.String() || held.Origin != "generated" {
			t.Errorf("%v: slot holds %+v", a, held)
		}
		if want := appendTLV(nil, 0x7f49, encodePublic(held.PublicKey)); !bytes.Equal(response, want) {
			t.Errorf("%v: answer is %x, want %x", a, response, want)
		}
	}
}

// TestPublicKeyEncoding pins the bytes of table 11 by key type, which the other
// tests take from the card's own encoder.
func TestPublicKeyEncoding(t *testing.T) {
	h := newHost(t, v574)
	for a, header := range map[algorithm]string{
		rsa1024: "7f498188818180", rsa2048: "7f4982010981820100", rsa4096: "7f4982020981820200",
		eccP256: "7f4943864104", eccP384: "7f4963866104", ed25519Key: "7f49228620", x25519Key: "7f49228620",
	} {
		response := h.generateIn(slotAuthentication, a, 0, 0)
		if !bytes.HasPrefix(response, unhex(t, header)) {
			t.Errorf("%v: answer is %x, want it to begin with %s", a, response, header)
			continue
		}
		rest := response[len(header)/2:]
		switch key := h.Snapshot().Slots[byte(slotAuthentication)].PublicKey.(type) {
		case *rsa.PublicKey:
			if want := append(key.N.Bytes(), 0x82, 0x03, 0x01, 0x00, 0x01); !bytes.Equal(rest, want) {
				t.Errorf("%v: rest is %x, want %x", a, rest, want)
			}
		case *ecdsa.PublicKey:
			point, err := key.Bytes()
			if err != nil || !bytes.Equal(rest, point[1:]) {
				t.Errorf("%v: point is %x, want %x (%v)", a, rest, point, err)
			}
		case ed25519.PublicKey:
			if !bytes.Equal(rest, key) {
				t.Errorf("%v: key is %x, want %x", a, rest, key)
			}
		case *ecdh.PublicKey:
			if !bytes.Equal(rest, key.Bytes()) {
				t.Errorf("%v: key is %x, want %x", a, rest, key.Bytes())
			}
		default:
			t.Errorf("%v: key is a %T", a, key)
		}
	}
}

func TestGenerateByFirmware(t *testing.T) {
	all := []algorithm{rsa1024, rsa2048, rsa3072, rsa4096, eccP256, eccP384, ed25519Key, x25519Key}
	old := []algorithm{rsa1024, rsa2048, eccP256, eccP384}
	fips := func(c *Config) { c.FormFactor |= formFactorFIPS }
	tests := []struct {
		host  *host
		known []algorithm
	}{
		{newHost(t, v437), old},
		{newHost(t, v543), old},
		{newHost(t, v574), all},
		{newHost(t, v543, fips), []algorithm{rsa2048, eccP256, eccP384}},
		{newHost(t, v574, fips), []algorithm{rsa2048, rsa3072, rsa4096, eccP256, eccP384, ed25519Key}},
	}
	for _, test := range tests {
		known := map[algorithm]bool{}
		for _, a := range test.known {
			known[a] = true
		}
		for _, a := range all {
			test.host.manage()
			_, sw := test.host.send(0, insGenerateKeyPair, 0, byte(slotKeyManagement), generateData(a, 0, 0))
			want := swWrongData
			if known[a] {
				want = swOK
			}
			if sw != want {
				t.Errorf("%v, form factor %02x: generating %v answered %04x, want %04x",
					test.host.Firmware(), test.host.Snapshot().FormFactor, a, uint16(sw), uint16(want))
			}
		}
	}
}

func TestPoliciesOfAKey(t *testing.T) {
	h := newHost(t, v574)
	for _, test := range []struct {
		slot                 slotID
		pin, touch           byte
		wantPIN, wantTouched string
	}{
		{slotAuthentication, 0, 0, "once", "never"},
		{slotSignature, 0, 0, "always", "never"},
		{slotKeyManagement, 0, 0, "once", "never"},
		{slotCardAuth, 0, 0, "never", "never"},
		{slotRetiredFirst, 0, 0, "once", "never"},
		{slotRetiredLast, pinAlways, touchAlways, "always", "always"},
		{slotSignature, pinOnce, touchCached, "once", "cached"},
		{slotKeyManagement, pinNever, touchNever, "never", "never"},
	} {
		h.generateIn(test.slot, eccP256, test.pin, test.touch)
		held := h.Snapshot().Slots[byte(test.slot)]
		if held.PINPolicy != test.wantPIN || held.TouchPolicy != test.wantTouched {
			t.Errorf("%v with %d, %d: %s, %s; want %s, %s", test.slot, test.pin, test.touch,
				held.PINPolicy, held.TouchPolicy, test.wantPIN, test.wantTouched)
		}
	}
}

func TestPoliciesRefused(t *testing.T) {
	h := newHost(t, v574)
	h.manage()
	// 4 and 5 are the biometric policies of another model.
	h.refused(swWrongData, 0, insGenerateKeyPair, 0, 0x9a, generateData(eccP256, 4, 0))
	h.refused(swWrongData, 0, insGenerateKeyPair, 0, 0x9a, generateData(eccP256, 0, 4))
	early := newHost(t, Version{4, 2, 8})
	early.manage()
	early.refused(swWrongData, 0, insGenerateKeyPair, 0, 0x9a, generateData(eccP256, 0, touchCached))
	early.ok(0, insGenerateKeyPair, 0, 0x9a, generateData(eccP256, 0, touchAlways))
	fips := newHost(t, Version{4, 4, 5})
	fips.manage()
	fips.refused(swWrongData, 0, insGenerateKeyPair, 0, 0x9a, generateData(eccP256, pinNever, 0))
	fips.ok(0, insGenerateKeyPair, 0, 0x9e, generateData(eccP256, 0, 0))
}

func TestGenerateParameters(t *testing.T) {
	h := newHost(t, v574)
	h.refused(swSecurityStatus, 0, insGenerateKeyPair, 0, 0x9a, generateData(eccP256, 0, 0))
	h.manage()
	for _, slot := range []byte{0x00, 0x04, 0x81, 0x96, 0x9b, 0x9f, 0xff} {
		h.refused(swWrongP1P2, 0, insGenerateKeyPair, 0, slot, generateData(eccP256, 0, 0))
	}
	h.refused(swWrongP1P2, 0, insGenerateKeyPair, 1, 0x9a, generateData(eccP256, 0, 0))
	for _, data := range []string{"", "ac", "ac00", "ab03800111", "ac0380011100", "ac03800199", "ac0480021111", "ac06800111aa0201"} {
		h.refused(swWrongData, 0, insGenerateKeyPair, 0, 0x9a, unhex(t, data))
	}
	if _, made := h.Snapshot().Slots[0x9a]; made {
		t.Error("a refused command made a key")
	}
}

func TestMoveKey(t *testing.T) {
	h := newHost(t, v574)
	h.generateIn(slotKeyManagement, eccP256, pinNever, touchCached)
	before := h.Snapshot().Slots[byte(slotKeyManagement)]
	h.ok(0, insMoveKey, byte(slotRetiredFirst), byte(slotKeyManagement), nil)
	slots := h.Snapshot().Slots
	after, moved := slots[byte(slotRetiredFirst)]
	if _, still := slots[byte(slotKeyManagement)]; still || !moved {
		t.Fatalf("slots are %v", slots)
	}
	if !before.PublicKey.(*ecdsa.PublicKey).Equal(after.PublicKey) || after.PINPolicy != "never" || after.TouchPolicy != "cached" {
		t.Errorf("moved key is %+v, was %+v", after, before)
	}
	if got := h.attestation(slotRetiredFirst).Subject.CommonName; got != "YubiKey PIV Attestation 82" {
		t.Errorf("the moved key is attested as %q", got)
	}
	h.refused(swReferenceNotFound, 0, insMoveKey, 0x83, byte(slotKeyManagement), nil)
	h.generateIn(slotKeyManagement, eccP256, 0, 0)
	h.refused(swWrongData, 0, insMoveKey, byte(slotRetiredFirst), byte(slotKeyManagement), nil)
}

func TestDeleteKey(t *testing.T) {
	h := newHost(t, v574)
	h.generateIn(slotKeyManagement, eccP256, 0, 0)
	h.ok(0, insMoveKey, 0xff, byte(slotKeyManagement), nil)
	h.refused(swReferenceNotFound, 0, insGetMetadata, 0, byte(slotKeyManagement), nil)
	h.refused(swReferenceNotFound, 0, insMoveKey, 0xff, byte(slotKeyManagement), nil)
	h.generateIn(slotKeyManagement, eccP256, 0, 0)
	h.ok(0, insMoveKey, 0xff, byte(slotAttestation), nil)
	h.refused(swWrongData, 0, insAttest, byte(slotKeyManagement), 0, nil)
}

func TestMoveKeyParameters(t *testing.T) {
	h := newHost(t, v574)
	h.generateIn(slotKeyManagement, eccP256, 0, 0)
	h.refused(swWrongParameters, 0, insMoveKey, 0x82, byte(slotAttestation), nil)
	h.refused(swWrongParameters, 0, insMoveKey, 0xf9, byte(slotKeyManagement), nil)
	h.refused(swWrongParameters, 0, insMoveKey, 0x9b, byte(slotKeyManagement), nil)
	h.refused(swWrongParameters, 0, insMoveKey, 0xff, 0x9b, nil)
	h.refused(swWrongLength, 0, insMoveKey, 0x82, byte(slotKeyManagement), []byte{1})
	h.Reset()
	h.selectPIV()
	h.refused(swSecurityStatus, 0, insMoveKey, 0x82, byte(slotKeyManagement), nil)
	newHost(t, v543).refused(swUnknownInstruction, 0, insMoveKey, 0x82, byte(slotKeyManagement), nil)
}
