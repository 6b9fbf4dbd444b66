package yubikey

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"time"
)

// Tags of the dynamic authentication template (SP 800-73-4 Part 2, table 7).
const (
	tagDynamicAuth    = 0x7c
	tagWitness        = 0x80
	tagChallenge      = 0x81
	tagResponse       = 0x82
	tagExponentiation = 0x85
)

// touchCache is how long a touch counts for keys with the policy "cached".
const touchCache = 15 * time.Second

// parseDynamicAuth reads the template into its fields by tag.
func parseDynamicAuth(data []byte) (map[uint32][]byte, bool) {
	template, rest, ok := nextTLV(data)
	if !ok || template.tag != tagDynamicAuth || len(rest) > 0 {
		return nil, false
	}
	fields, ok := parseTLVs(template.value)
	if !ok {
		return nil, false
	}
	byTag := map[uint32][]byte{}
	for _, field := range fields {
		byTag[field.tag] = field.value
	}
	return byTag, true
}

func dynamicAuth(tag uint32, value []byte) []byte {
	return appendTLV(nil, tagDynamicAuth, appendTLV(nil, tag, value))
}

// usePrivateKey signs, decrypts or agrees on a key with the key of a slot
// (SP 800-73-4 Part 2, 3.2.4). An empty slot and an algorithm that is not the
// key's are wrong data. pinFresh says that the last command verified the PIN.
func (c *Card) usePrivateKey(cmd command, pinFresh bool) ([]byte, status) {
	slot := slotID(cmd.p2)
	if !slot.holdsKeyPair() {
		return nil, swWrongP1P2
	}
	key, ok := c.state.Slots[slot]
	if !ok || !slot.forUser() || algorithm(cmd.p1) != key.Algorithm {
		return nil, swWrongData
	}
	operation, ok := prepare(key.private, cmd.data)
	if !ok {
		return nil, swWrongData
	}
	switch key.PINPolicy {
	case pinOnce:
		ok = c.session.pinVerified
	case pinAlways:
		ok = c.session.pinVerified && pinFresh
	}
	if !ok || !c.touched(slot, key.TouchPolicy) {
		return nil, swSecurityStatus
	}
	result, err := operation()
	if err != nil {
		return nil, swWrongData
	}
	return dynamicAuth(tagResponse, result), swOK
}

// prepare reads what is to be done with a key and checks its input as far as
// that can be done before PIN and touch are asked for.
func prepare(private crypto.PrivateKey, data []byte) (func() ([]byte, error), bool) {
	fields, ok := parseDynamicAuth(data)
	if !ok {
		return nil, false
	}
	if wanted, ok := fields[tagResponse]; !ok || len(wanted) > 0 {
		return nil, false
	}
	challenge, signs := fields[tagChallenge]
	peer, agrees := fields[tagExponentiation]
	if signs == agrees {
		return nil, false
	}
	switch key := private.(type) {
	case *rsa.PrivateKey:
		input := new(big.Int).SetBytes(challenge)
		ok := signs && len(challenge) == key.Size() && input.Cmp(key.N) < 0
		return func() ([]byte, error) { return rawRSA(key, input), nil }, ok
	case *ecdsa.PrivateKey:
		if agrees {
			return prepareECDH(key, peer)
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		ok := len(challenge) > 0 && len(challenge) <= size
		return func() ([]byte, error) { return ecdsa.SignASN1(rand.Reader, key, challenge) }, ok
	case ed25519.PrivateKey:
		return func() ([]byte, error) { return ed25519.Sign(key, challenge), nil }, signs
	case *ecdh.PrivateKey:
		if !agrees {
			return nil, false
		}
		public, err := key.Curve().NewPublicKey(peer)
		return func() ([]byte, error) { return key.ECDH(public) }, err == nil
	}
	return nil, false
}

func prepareECDH(key *ecdsa.PrivateKey, peer []byte) (func() ([]byte, error), bool) {
	private, err := key.ECDH()
	if err != nil {
		return nil, false
	}
	public, err := private.Curve().NewPublicKey(peer)
	return func() ([]byte, error) { return private.ECDH(public) }, err == nil
}

// rawRSA is the private operation on a block that the host has padded already,
// by the Chinese remainder theorem. The same operation signs and decrypts.
func rawRSA(key *rsa.PrivateKey, input *big.Int) []byte {
	p, q := key.Primes[0], key.Primes[1]
	modP := new(big.Int).Exp(input, key.Precomputed.Dp, p)
	modQ := new(big.Int).Exp(input, key.Precomputed.Dq, q)
	h := new(big.Int).Sub(modP, modQ)
	h.Mul(h, key.Precomputed.Qinv).Mod(h, p)
	output := h.Mul(h, q).Add(h, modQ)
	return output.FillBytes(make([]byte, key.Size()))
}

// touched waits for a finger where the policy wants one, and reports whether
// there was one. c.mu is free meanwhile.
func (c *Card) touched(slot slotID, policy byte) bool {
	if policy == touchNever {
		return true
	}
	last := c.session.touched
	if policy == touchCached && !last.IsZero() && c.clock().Sub(last) < touchCache {
		return true
	}
	c.touches++
	if !c.waitForTouch(slot) {
		return false
	}
	c.session.touched = c.clock()
	return true
}

func (c *Card) waitForTouch(slot slotID) bool {
	c.mu.Unlock()
	defer c.mu.Lock()
	return c.touchSensor(byte(slot))
}
