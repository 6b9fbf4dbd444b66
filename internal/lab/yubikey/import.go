package yubikey

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"math/big"
)

// publicExponent is the only RSA exponent that the card uses.
const publicExponent = 65537

// importKey takes a private key made elsewhere into a slot (Yubico's PIV
// extensions, "Import asymmetric key"). It wants the management key.
func (c *Card) importKey(cmd command) status {
	slot, a := slotID(cmd.p2), algorithm(cmd.p1)
	if !c.profile.holds(slot) {
		return swWrongParameters
	}
	if !c.session.managed {
		return swSecurityStatus
	}
	fields, ok := parseTLVs(cmd.data)
	if !ok || !c.profile.supports(a) {
		return swWrongData
	}
	p, ok := c.profile.parsePolicies(slot, fields)
	if !ok {
		return swWrongData
	}
	private, ok := buildPrivate(a, fields)
	if !ok {
		return swWrongData
	}
	key, err := newSlotState(private, originImported, p)
	if err != nil {
		return swWrongData
	}
	c.state.Slots[slot] = key
	c.dirty = true
	return swOK
}

// buildPrivate puts a private key together: for RSA p, q, dp, dq and qinv in
// tags 01 to 05, for ECC the scalar in 06, for Ed25519 the seed in 07, for
// X25519 the scalar in 08; big-endian, except for the last two.
func buildPrivate(a algorithm, fields []tlv) (crypto.PrivateKey, bool) {
	parts := map[uint32][]byte{}
	for _, field := range fields {
		parts[field.tag] = field.value
	}
	switch {
	case a.rsaBits() > 0:
		return buildRSA(a, parts)
	case a.curve() != nil:
		size := (a.curve().Params().BitSize + 7) / 8
		if len(parts[0x06]) > size {
			return nil, false
		}
		scalar := new(big.Int).SetBytes(parts[0x06]).FillBytes(make([]byte, size))
		key, err := ecdsa.ParseRawPrivateKey(a.curve(), scalar)
		return key, err == nil
	case a == ed25519Key:
		if len(parts[0x07]) != ed25519.SeedSize {
			return nil, false
		}
		return ed25519.NewKeyFromSeed(parts[0x07]), true
	case a == x25519Key:
		key, err := ecdh.X25519().NewPrivateKey(parts[0x08])
		return key, err == nil
	}
	return nil, false
}

// buildRSA computes what the five parts of the Chinese remainder theorem leave
// out, and refuses parts that do not make a key of the right size.
func buildRSA(a algorithm, parts map[uint32][]byte) (crypto.PrivateKey, bool) {
	var numbers [6]*big.Int
	for tag := uint32(1); tag <= 5; tag++ {
		value, ok := parts[tag]
		if !ok || len(value) > a.rsaBits()/16 {
			return nil, false
		}
		numbers[tag] = new(big.Int).SetBytes(value)
	}
	p, q := numbers[1], numbers[2]
	n := new(big.Int).Mul(p, q)
	if n.BitLen() != a.rsaBits() || p.Bit(0) == 0 || q.Bit(0) == 0 {
		return nil, false
	}
	one := big.NewInt(1)
	totient := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	d := new(big.Int).ModInverse(big.NewInt(publicExponent), totient)
	if d == nil {
		return nil, false
	}
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: n, E: publicExponent},
		D:         d, Primes: []*big.Int{p, q},
	}
	if key.Validate() != nil {
		return nil, false
	}
	key.Precompute()
	crt := key.Precomputed
	if crt.Dp.Cmp(numbers[3]) != 0 || crt.Dq.Cmp(numbers[4]) != 0 || crt.Qinv.Cmp(numbers[5]) != 0 {
		return nil, false
	}
	return key, true
}
