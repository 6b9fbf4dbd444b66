package pcsc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
)

// KeyAlgorithm identifies the cipher of a management key (SP 800-78-4 table
// 6-2).
type KeyAlgorithm byte

// The ciphers of management keys: 3DES everywhere, AES from firmware 5.4.
const (
	TripleDES KeyAlgorithm = 0x03
	AES128    KeyAlgorithm = 0x08
	AES192    KeyAlgorithm = 0x0A
	AES256    KeyAlgorithm = 0x0C
)

// KeyLength returns the length of a key in bytes, 0 for an unknown algorithm.
func (k KeyAlgorithm) KeyLength() int {
	switch k {
	case AES128:
		return 16
	case TripleDES, AES192:
		return 24
	case AES256:
		return 32
	}
	return 0
}

// String returns the name, such as "aes192".
func (k KeyAlgorithm) String() string {
	switch k {
	case TripleDES:
		return "3des"
	case AES128:
		return "aes128"
	case AES192:
		return "aes192"
	case AES256:
		return "aes256"
	}
	return fmt.Sprintf("unknown(%02x)", byte(k))
}

func (k KeyAlgorithm) block(key []byte) (cipher.Block, error) {
	if k.KeyLength() == 0 || len(key) != k.KeyLength() {
		return nil, fmt.Errorf("%w: %s takes %d bytes, not %d", ErrManagementKey, k, k.KeyLength(), len(key))
	}
	if k == TripleDES {
		return des.NewTripleDESCipher(key)
	}
	return aes.NewCipher(key)
}

// ErrManagementKey is returned when the card does not accept a management key,
// or does not prove that it holds the same.
var ErrManagementKey = errors.New("wrong management key")

// Tags of the dynamic authentication template (SP 800-73-4 part 2, table 7).
const (
	tagAuthentication bertlv.Tag = 0x7C
	tagWitness        bertlv.Tag = 0x80
	tagChallenge      bertlv.Tag = 0x81
	tagResponse       bertlv.Tag = 0x82
)

// Authenticate proves the management key to the card and has the card prove it
// in turn (mutual authentication, SP 800-73-4 part 2 §3.2.4 and appendix A.1).
// Errors: ErrManagementKey; anything else is the card or the reader.
func (a Applet) Authenticate(algorithm KeyAlgorithm, key []byte) error {
	block, err := algorithm.block(key)
	if err != nil {
		return err
	}
	size := block.BlockSize()
	witness, err := a.authenticate(algorithm, bertlv.Append(nil, tagWitness), tagWitness)
	if err != nil {
		return fmt.Errorf("asking for a witness: %w", err)
	}
	if len(witness) != size {
		return fmt.Errorf("the card's witness has %d bytes, not %d", len(witness), size)
	}
	challenge := make([]byte, size)
	if _, err := rand.Read(challenge); err != nil {
		return fmt.Errorf("making a challenge: %w", err)
	}
	proof := make([]byte, size)
	block.Decrypt(proof, witness)
	data := bertlv.Append(nil, tagWitness, proof...)
	data = bertlv.Append(data, tagChallenge, challenge...)
	response, err := a.authenticate(algorithm, data, tagResponse)
	if errors.Is(err, SecurityNotSatisfied) || errors.Is(err, WrongData) {
		return fmt.Errorf("%w: %w", ErrManagementKey, err)
	}
	if err != nil {
		return fmt.Errorf("proving the management key: %w", err)
	}
	expected := make([]byte, size)
	block.Encrypt(expected, challenge)
	if subtle.ConstantTimeCompare(expected, response) != 1 {
		return fmt.Errorf("%w: the card did not prove that it holds it", ErrManagementKey)
	}
	return nil
}

// authenticate sends one GENERAL AUTHENTICATE and returns the element asked for
// out of its answer.
func (a Applet) authenticate(algorithm KeyAlgorithm, template []byte, want bertlv.Tag) ([]byte, error) {
	response, err := a.Exchange(Command{
		Instruction: insGeneralAuthenticate,
		P1:          byte(algorithm),
		P2:          ReferenceManagementKey,
		Data:        bertlv.Append(nil, tagAuthentication, template...),
	})
	if err != nil {
		return nil, err
	}
	answer, err := bertlv.Find(response, tagAuthentication)
	if err != nil {
		return nil, err
	}
	return bertlv.Find(answer, want)
}

// SetManagementKey replaces the management key, which must be authenticated
// (Yubico PIV extensions, SET MANAGEMENT KEY), without asking for touch.
func (a Applet) SetManagementKey(algorithm KeyAlgorithm, key []byte) error {
	if _, err := algorithm.block(key); err != nil {
		return fmt.Errorf("the new management key: %w", err)
	}
	data := append([]byte{byte(algorithm), ReferenceManagementKey, byte(len(key))}, key...)
	if _, err := a.Exchange(Command{Instruction: insSetManagementKey, P1: 0xFF, P2: 0xFF, Data: data}); err != nil {
		return fmt.Errorf("setting the management key: %w", err)
	}
	return nil
}
