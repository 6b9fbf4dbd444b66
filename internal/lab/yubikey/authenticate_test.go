package yubikey

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"testing"
	"time"
)

// digestInfoSHA256 is what precedes a SHA-256 digest in PKCS #1 v1.5.
const digestInfoSHA256 = "3031300d060960864801650304020105000420"

// pkcs1 pads a digest for a signature of n bytes (RFC 8017, 9.2).
func pkcs1(t *testing.T, digest []byte, n int) []byte {
	t.Helper()
	info := append(unhex(t, digestInfoSHA256), digest...)
	block := append([]byte{0x00, 0x01}, bytes.Repeat([]byte{0xff}, n-3-len(info))...)
	return append(append(block, 0x00), info...)
}

func TestRSA(t *testing.T) {
	h := newHost(t, v574)
	digest := sha256.Sum256([]byte("message"))
	for _, a := range []algorithm{rsa1024, rsa2048, rsa3072, rsa4096} {
		h.generateIn(slotKeyManagement, a, 0, 0)
		h.verifyPIN(factoryPIN)
		public := h.Snapshot().Slots[byte(slotKeyManagement)].PublicKey.(*rsa.PublicKey)
		block := pkcs1(t, digest[:], public.Size())
		signature := h.result(h.ok(0, insGeneralAuthenticate, byte(a), 0x9d, authTemplate(tagChallenge, block)))
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature); err != nil {
			t.Errorf("%v: signature: %v", a, err)
		}
		secret := bytes.Repeat([]byte{0x17}, 32)
		ciphertext := new(big.Int).Exp(new(big.Int).SetBytes(secret), big.NewInt(int64(public.E)), public.N)
		padded := ciphertext.FillBytes(make([]byte, public.Size()))
		plain := h.result(h.ok(0, insGeneralAuthenticate, byte(a), 0x9d, authTemplate(tagChallenge, padded)))
		want := append(make([]byte, public.Size()-len(secret)), secret...) // nothing is unpadded
		if !bytes.Equal(plain, want) {
			t.Errorf("%v: decrypted %x, want %x", a, plain, want)
		}
	}
}

func TestRSAInput(t *testing.T) {
	h := newHost(t, v574)
	h.generateIn(slotKeyManagement, rsa1024, pinNever, 0)
	modulus := h.Snapshot().Slots[byte(slotKeyManagement)].PublicKey.(*rsa.PublicKey).N.Bytes()
	for _, input := range [][]byte{nil, make([]byte, 127), make([]byte, 129), modulus, bytes.Repeat([]byte{0xff}, 128)} {
		h.refused(swWrongData, 0, insGeneralAuthenticate, byte(rsa1024), 0x9d, authTemplate(tagChallenge, input))
	}
	h.refused(swWrongData, 0, insGeneralAuthenticate, byte(rsa1024), 0x9d, authTemplate(tagExponentiation, make([]byte, 128)))
	zero := h.result(h.ok(0, insGeneralAuthenticate, byte(rsa1024), 0x9d, authTemplate(tagChallenge, make([]byte, 128))))
	if !bytes.Equal(zero, make([]byte, 128)) {
		t.Errorf("zero became %x", zero)
	}
}

func TestECDSA(t *testing.T) {
	h := newHost(t, v574)
	for a, sizes := range map[algorithm][]int{eccP256: {20, 32}, eccP384: {20, 32, 48}} {
		h.generateIn(slotAuthentication, a, pinNever, 0)
		public := h.Snapshot().Slots[byte(slotAuthentication)].PublicKey.(*ecdsa.PublicKey)
		for _, size := range sizes {
			digest := bytes.Repeat([]byte{0xd1}, size)
			signature := h.result(h.ok(0, insGeneralAuthenticate, byte(a), 0x9a, authTemplate(tagChallenge, digest)))
			if !ecdsa.VerifyASN1(public, digest, signature) {
				t.Errorf("%v: signature on %d bytes does not verify", a, size)
			}
		}
		h.refused(swWrongData, 0, insGeneralAuthenticate, byte(a), 0x9a, authTemplate(tagChallenge, make([]byte, 49)))
		h.refused(swWrongData, 0, insGeneralAuthenticate, byte(a), 0x9a, authTemplate(tagChallenge, nil))
	}
}

func TestECDH(t *testing.T) {
	h := newHost(t, v574)
	for a, curve := range map[algorithm]ecdh.Curve{eccP256: ecdh.P256(), eccP384: ecdh.P384(), x25519Key: ecdh.X25519()} {
		h.generateIn(slotKeyManagement, a, pinNever, 0)
		peer, err := curve.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		shared := h.result(h.ok(0, insGeneralAuthenticate, byte(a), 0x9d, authTemplate(tagExponentiation, peer.PublicKey().Bytes())))
		var own *ecdh.PublicKey
		switch key := h.Snapshot().Slots[byte(slotKeyManagement)].PublicKey.(type) {
		case *ecdsa.PublicKey:
			own, err = key.ECDH()
		case *ecdh.PublicKey:
			own = key
		}
		if err != nil {
			t.Fatal(err)
		}
		want, err := peer.ECDH(own)
		if err != nil || !bytes.Equal(shared, want) {
			t.Errorf("%v: shared secret %x, want %x (%v)", a, shared, want, err)
		}
		off := bytes.Clone(peer.PublicKey().Bytes())
		off[len(off)-1] ^= 1
		wrong := [][]byte{nil, off[:len(off)-1], append(off, 0)}
		if a != x25519Key {
			wrong = append(wrong, off) // not on the curve
		} else {
			wrong = append(wrong, make([]byte, 32)) // the shared secret would be zero
		}
		for _, point := range wrong {
			h.refused(swWrongData, 0, insGeneralAuthenticate, byte(a), 0x9d, authTemplate(tagExponentiation, point))
		}
	}
	h.refused(swWrongData, 0, insGeneralAuthenticate, byte(x25519Key), 0x9d, authTemplate(tagChallenge, make([]byte, 32)))
}

func TestEd25519(t *testing.T) {
	h := newHost(t, v574)
	h.generateIn(slotSignature, ed25519Key, pinNever, 0)
	public := h.Snapshot().Slots[byte(slotSignature)].PublicKey.(ed25519.PublicKey)
	for _, message := range [][]byte{[]byte("message"), bytes.Repeat([]byte{7}, 2000)} {
		signature := h.result(h.ok(0, insGeneralAuthenticate, byte(ed25519Key), 0x9c, authTemplate(tagChallenge, message)))
		if !ed25519.Verify(public, message, signature) {
			t.Errorf("signature on %d bytes does not verify", len(message))
		}
	}
	h.refused(swWrongData, 0, insGeneralAuthenticate, byte(ed25519Key), 0x9c, authTemplate(tagExponentiation, public))
}

func TestChainedSignature(t *testing.T) {
	h := newHost(t, v574)
	h.generateIn(slotSignature, rsa2048, 0, 0)
	public := h.Snapshot().Slots[byte(slotSignature)].PublicKey.(*rsa.PublicKey)
	digest := sha256.Sum256([]byte("message"))
	h.verifyPIN(factoryPIN) // "always": the parts of the chain are one command
	var response []byte
	var sw status
	for _, part := range shortChain(insGeneralAuthenticate, byte(rsa2048), 0x9c, authTemplate(tagChallenge, pkcs1(t, digest[:], 256)), 255) {
		response, sw = h.raw(part)
	}
	if sw != swMoreData|8 {
		t.Fatalf("first part of the answer came with %04x, want 6108", uint16(sw))
	}
	rest, sw := h.raw([]byte{0, insGetResponse, 0, 0, 0})
	if sw != swOK {
		t.Fatalf("the rest came with %04x", uint16(sw))
	}
	if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], h.result(append(response, rest...))); err != nil {
		t.Error(err)
	}
}

func sign256(h *host, slot slotID) status {
	h.Helper()
	_, sw := h.send(0, insGeneralAuthenticate, byte(eccP256), byte(slot), authTemplate(tagChallenge, make([]byte, 32)))
	return sw
}

func TestPINPolicies(t *testing.T) {
	h := newHost(t, v574)
	expect := func(what string, slot slotID, want status) {
		t.Helper()
		if sw := sign256(h, slot); sw != want {
			t.Errorf("%s: %04x, want %04x", what, uint16(sw), uint16(want))
		}
	}
	for _, slot := range []slotID{slotSignature, slotKeyManagement, slotCardAuth} {
		h.generateIn(slot, eccP256, 0, 0)
	}
	expect("never, without PIN", slotCardAuth, swOK)
	expect("once, without PIN", slotKeyManagement, swSecurityStatus)
	expect("always, without PIN", slotSignature, swSecurityStatus)
	h.verifyPIN(factoryPIN)
	expect("once, with PIN", slotKeyManagement, swOK)
	expect("once, again", slotKeyManagement, swOK)
	expect("always, after another command", slotSignature, swSecurityStatus)
	h.verifyPIN(factoryPIN)
	expect("always, right after the PIN", slotSignature, swOK)
	expect("always, again", slotSignature, swSecurityStatus)
	h.verifyPIN(factoryPIN)
	h.ok(0, insGetVersion, 0, 0, nil)
	expect("always, after any other command", slotSignature, swSecurityStatus)
	h.verifyPIN(factoryPIN)
	h.selectPIV()
	expect("always, after PIV was selected again", slotSignature, swSecurityStatus)
	expect("once, after PIV was selected again", slotKeyManagement, swOK)
	h.verifyPIN(factoryPIN)
	h.ok(0, insVerify, 0xff, referencePIN, nil)
	expect("once, after the PIN was forgotten", slotKeyManagement, swSecurityStatus)
	h.verifyPIN(factoryPIN)
	h.Reset()
	h.selectPIV()
	expect("once, after a power cycle", slotKeyManagement, swSecurityStatus)
}

func TestTouchPolicies(t *testing.T) {
	var asked []byte
	touched := true
	h := newHost(t, v574, func(c *Config) {
		c.Touch = func(slot byte) bool {
			asked = append(asked, slot)
			return touched
		}
	})
	h.generateIn(0x9a, eccP256, pinNever, touchNever)
	h.generateIn(0x9c, eccP256, pinOnce, touchAlways)
	h.generateIn(0x9d, eccP256, pinNever, touchCached)

	steps := []struct {
		what    string
		before  func()
		slot    slotID
		want    status
		touches int
	}{
		{"never", nil, 0x9a, swOK, 0},
		{"always, without PIN", nil, 0x9c, swSecurityStatus, 0},
		{"cached, first", nil, 0x9d, swOK, 1},
		{"cached, again", nil, 0x9d, swOK, 0},
		{"cached, 14 s later", func() { h.now = h.now.Add(14 * time.Second) }, 0x9d, swOK, 0},
		{"cached, 15 s after the touch", func() { h.now = h.now.Add(time.Second) }, 0x9d, swOK, 1},
		{"always, in spite of the cache", func() { h.verifyPIN(factoryPIN) }, 0x9c, swOK, 1},
		{"always, not touched", func() { touched = false }, 0x9c, swSecurityStatus, 1},
		{"cached, by the touch before", nil, 0x9d, swOK, 0},
		{"cached, after a power cycle", func() { h.Reset(); h.selectPIV() }, 0x9d, swSecurityStatus, 1},
	}
	total := 0
	for _, step := range steps {
		if step.before != nil {
			step.before()
		}
		asked = nil
		if sw := sign256(h, step.slot); sw != step.want {
			t.Errorf("%s: %04x, want %04x", step.what, uint16(sw), uint16(step.want))
		}
		if want := bytes.Repeat([]byte{byte(step.slot)}, step.touches); !bytes.Equal(asked, want) {
			t.Errorf("%s: touch asked for %x, want %x", step.what, asked, want)
		}
		total += step.touches
	}
	if got := h.Snapshot().Touches; got != total {
		t.Errorf("%d touches counted, want %d", got, total)
	}
}

// TestTouchLeavesTheCardReadable shows that a test can look at the card while
// it waits for a finger.
func TestTouchLeavesTheCardReadable(t *testing.T) {
	var h *host
	var seen int
	h = newHost(t, v574, func(c *Config) {
		c.Touch = func(byte) bool {
			seen = h.Snapshot().Touches
			return true
		}
	})
	h.generateIn(0x9d, eccP256, pinNever, touchAlways)
	if sw := sign256(h, 0x9d); sw != swOK || seen != 1 {
		t.Errorf("%04x with %d touches seen, want 9000 with 1", uint16(sw), seen)
	}
}

func TestUseParameters(t *testing.T) {
	h := newHost(t, v574)
	h.verifyPIN(factoryPIN)
	if sw := sign256(h, slotKeyManagement); sw != swWrongData {
		t.Errorf("an empty slot answered %04x, want 6a80", uint16(sw))
	}
	h.generateIn(slotKeyManagement, eccP384, pinNever, 0)
	if sw := sign256(h, slotKeyManagement); sw != swWrongData {
		t.Errorf("another algorithm answered %04x, want 6a80", uint16(sw))
	}
	h.refused(swWrongData, 0, insGeneralAuthenticate, byte(eccP384), byte(slotAttestation), authTemplate(tagChallenge, make([]byte, 32)))
	h.refused(swWrongP1P2, 0, insGeneralAuthenticate, byte(eccP256), 0x04, authTemplate(tagChallenge, make([]byte, 32)))
	for _, data := range []string{"", "7c00", "7c028200", "7c03810101", "7c06820101810101", "7c088200810101850101", "7c0582008101017c00", "8200"} {
		h.refused(swWrongData, 0, insGeneralAuthenticate, byte(eccP384), 0x9d, unhex(t, data))
	}
}

func TestKeysOfOldCards(t *testing.T) {
	h := newHost(t, v437)
	h.generateIn(slotSignature, eccP256, 0, 0)
	h.verifyPIN(factoryPIN)
	digest := sha256.Sum256([]byte("message"))
	signature := h.result(h.ok(0, insGeneralAuthenticate, byte(eccP256), 0x9c, authTemplate(tagChallenge, digest[:])))
	public := h.Snapshot().Slots[0x9c].PublicKey.(*ecdsa.PublicKey)
	if public.Curve != elliptic.P256() || !ecdsa.VerifyASN1(public, digest[:], signature) {
		t.Error("signature does not verify")
	}
}
