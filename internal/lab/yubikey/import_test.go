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
	"math/big"
	"testing"
)

// rsaParts is the data field that imports an RSA key.
func rsaParts(key *rsa.PrivateKey) []byte {
	half := key.Size() / 2
	var data []byte
	for i, part := range []*big.Int{
		key.Primes[0], key.Primes[1], key.Precomputed.Dp, key.Precomputed.Dq, key.Precomputed.Qinv,
	} {
		data = appendTLV(data, uint32(i+1), part.FillBytes(make([]byte, half)))
	}
	return data
}

func mustRSA(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := pooledRSA(bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestImport(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	scalar, err := p256.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	seed := bytes.Repeat([]byte{0x42}, 32)
	edKey := ed25519.NewKeyFromSeed(seed)
	xKey, err := ecdh.X25519().NewPrivateKey(seed)
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, v574)
	for _, test := range []struct {
		a      algorithm
		data   []byte
		public crypto.PublicKey
	}{
		{rsa1024, rsaParts(mustRSA(t, 1024)), mustRSA(t, 1024).Public()},
		{rsa2048, rsaParts(mustRSA(t, 2048)), mustRSA(t, 2048).Public()},
		{rsa3072, rsaParts(mustRSA(t, 3072)), mustRSA(t, 3072).Public()},
		{eccP256, appendTLV(nil, 0x06, scalar), p256.Public()},
		{ed25519Key, appendTLV(nil, 0x07, seed), edKey.Public()},
		{x25519Key, appendTLV(nil, 0x08, seed), xKey.Public()},
	} {
		h.manage()
		h.ok(0, insImportKey, byte(test.a), byte(slotAuthentication), append(test.data, 0xaa, 1, pinNever, 0xab, 1, touchAlways))
		held := h.Snapshot().Slots[byte(slotAuthentication)]
		equal, ok := test.public.(interface{ Equal(crypto.PublicKey) bool })
		if !ok || !equal.Equal(held.PublicKey) {
			t.Errorf("%v: another public key came out", test.a)
		}
		if held.Origin != "imported" || held.PINPolicy != "never" || held.TouchPolicy != "always" || held.Algorithm != test.a.String() {
			t.Errorf("%v: slot holds %+v", test.a, held)
		}
		h.refused(swWrongData, 0, insAttest, byte(slotAuthentication), 0, nil)
	}
}

func TestImportRefused(t *testing.T) {
	h := newHost(t, v574)
	key := rsaParts(mustRSA(t, 1024))
	h.refused(swSecurityStatus, 0, insImportKey, byte(rsa1024), 0x9a, key)
	h.manage()
	h.refused(swWrongParameters, 0, insImportKey, byte(rsa1024), 0x9b, key)
	flipped := bytes.Clone(key)
	flipped[10] ^= 1 // p is not the prime that dp, dq and qinv belong to
	order := elliptic.P256().Params().N.Bytes()
	for a, data := range map[algorithm][][]byte{
		rsa2048: {key},
		rsa1024: {
			flipped, key[:len(key)-1], key[:66], appendTLV(nil, 0x06, make([]byte, 32)), nil,
			append(bytes.Clone(key), 0xaa, 1, 9),
		},
		eccP256: {
			appendTLV(nil, 0x06, make([]byte, 32)), appendTLV(nil, 0x06, order),
			appendTLV(nil, 0x06, bytes.Repeat([]byte{1}, 33)), key,
		},
		ed25519Key: {appendTLV(nil, 0x07, make([]byte, 31)), nil},
		x25519Key:  {appendTLV(nil, 0x08, make([]byte, 31)), nil},
		0x99:       {key},
	} {
		for i, wrong := range data {
			if _, sw := h.send(0, insImportKey, byte(a), 0x9a, wrong); sw != swWrongData {
				t.Errorf("%v, case %d answered %04x, want 6a80", a, i, uint16(sw))
			}
		}
	}
	if _, made := h.Snapshot().Slots[0x9a]; made {
		t.Error("a refused command put a key into the slot")
	}
	old := newHost(t, v543)
	old.manage()
	old.refused(swWrongData, 0, insImportKey, byte(ed25519Key), 0x9a, appendTLV(nil, 0x07, make([]byte, 32)))
}
