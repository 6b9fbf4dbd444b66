package yubikey

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/subtle"
	"fmt"
	"io"
	"slices"
)

// managementAlgorithm is the cipher of the management key (SP 800-78-4, table
// 6-2).
type managementAlgorithm byte

const (
	tripleDES managementAlgorithm = 0x03
	aes128    managementAlgorithm = 0x08
	aes192    managementAlgorithm = 0x0a
	aes256    managementAlgorithm = 0x0c

	// tripleDESDefault is the value 00 of P1, which SP 800-78 gives 3DES too.
	tripleDESDefault managementAlgorithm = 0x00
)

// String returns "3des", "aes128", "aes192" or "aes256".
func (a managementAlgorithm) String() string {
	if a == tripleDES {
		return "3des"
	}
	return fmt.Sprintf("aes%d", 8*a.keyLength())
}

// keyLength is the length of a key in bytes, 0 for an unknown algorithm.
func (a managementAlgorithm) keyLength() int {
	switch a {
	case aes128:
		return 16
	case tripleDES, aes192:
		return 24
	case aes256:
		return 32
	}
	return 0
}

// MarshalText writes the name.
func (a managementAlgorithm) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads a name.
func (a *managementAlgorithm) UnmarshalText(text []byte) error {
	for _, known := range []managementAlgorithm{tripleDES, aes128, aes192, aes256} {
		if known.String() == string(text) {
			*a = known
			return nil
		}
	}
	return fmt.Errorf("unknown management key algorithm %q", text)
}

// managementKey is the key that card management proves itself with.
type managementKey struct {
	Algorithm   managementAlgorithm `json:"algorithm"`
	Value       []byte              `json:"value"`
	TouchPolicy byte                `json:"touch_policy"`
}

func (k managementKey) block() (cipher.Block, error) {
	if k.Algorithm == tripleDES {
		return des.NewTripleDESCipher(k.Value)
	}
	return aes.NewCipher(k.Value)
}

// factoryManagementKey is the well-known key of a new card, whatever the
// algorithm: 01 to 08 three times.
func factoryManagementKey() []byte {
	return bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 3)
}

// authenticateManager proves the management key, by a challenge of the card's
// (tag 81, answered in 82) or mutually (a witness in tag 80, decrypted by the
// host, with the host's challenge in 81). challenge and witness are what the
// last command gave out. (SP 800-73-4 Part 2, 3.2.4 and A.1.)
func (c *Card) authenticateManager(cmd command, challenge, witness []byte) ([]byte, status) {
	key := c.state.ManagementKey
	a := managementAlgorithm(cmd.p1)
	if a == tripleDESDefault {
		a = tripleDES
	}
	fields, ok := parseDynamicAuth(cmd.data)
	block, err := key.block()
	if !ok || err != nil || a != key.Algorithm {
		return nil, swWrongData
	}
	given, hasWitness := fields[tagWitness]
	asked, hasChallenge := fields[tagChallenge]
	answer, hasAnswer := fields[tagResponse]
	size := block.BlockSize()
	switch {
	case hasWitness && len(given) == 0:
		return c.giveWitness(block)
	case hasChallenge && len(asked) == 0:
		return c.giveChallenge(size)
	case hasWitness && hasChallenge:
		if len(given) != size || len(asked) != size {
			return nil, swWrongData
		}
		if sw := c.admit(witness, given); sw != swOK {
			return nil, sw
		}
		response := make([]byte, size)
		block.Encrypt(response, asked)
		return dynamicAuth(tagResponse, response), swOK
	case hasAnswer && len(answer) == size:
		var expected []byte
		if len(challenge) == size {
			expected = make([]byte, size)
			block.Encrypt(expected, challenge)
		}
		return nil, c.admit(expected, answer)
	}
	return nil, swWrongData
}

func (c *Card) giveWitness(block cipher.Block) ([]byte, status) {
	witness := make([]byte, block.BlockSize())
	if _, err := io.ReadFull(c.rand, witness); err != nil {
		return nil, swNoPreciseDiagnostic
	}
	encrypted := make([]byte, len(witness))
	block.Encrypt(encrypted, witness)
	c.session.witness = witness
	return dynamicAuth(tagWitness, encrypted), swOK
}

func (c *Card) giveChallenge(size int) ([]byte, status) {
	challenge := make([]byte, size)
	if _, err := io.ReadFull(c.rand, challenge); err != nil {
		return nil, swNoPreciseDiagnostic
	}
	c.session.challenge = challenge
	return dynamicAuth(tagChallenge, challenge), swOK
}

// admit ends the authentication: the proof is right, and the touch was made
// where the key wants one.
func (c *Card) admit(expected, given []byte) status {
	c.session.managed = len(expected) > 0 &&
		subtle.ConstantTimeCompare(expected, given) == 1 &&
		c.touched(slotManagement, c.state.ManagementKey.TouchPolicy)
	if !c.session.managed {
		return swSecurityStatus
	}
	return swOK
}

// setManagementKey replaces the management key (Yubico's PIV extensions, "Set
// management key"). P2 is the touch policy: FF never, FE always, FD cached. The
// data is algorithm, 9B, length, key. It wants the management key.
func (c *Card) setManagementKey(cmd command) status {
	touch, known := map[byte]byte{0xff: touchNever, 0xfe: touchAlways, 0xfd: touchCached}[cmd.p2]
	if cmd.p1 != 0xff || !known {
		return swWrongParameters
	}
	if !c.session.managed {
		return swSecurityStatus
	}
	if len(cmd.data) < 3 {
		return swWrongLength
	}
	a, value := managementAlgorithm(cmd.data[0]), cmd.data[3:]
	switch {
	case a.keyLength() == 0, a != tripleDES && !c.profile.can(AESManagementKey):
		return swWrongData
	case slotID(cmd.data[1]) != slotManagement:
		return swWrongData
	case int(cmd.data[2]) != len(value) || len(value) != a.keyLength():
		return swWrongLength
	}
	c.state.ManagementKey = managementKey{Algorithm: a, Value: slices.Clone(value), TouchPolicy: touch}
	c.dirty = true
	return swOK
}
