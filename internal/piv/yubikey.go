package piv

import (
	"crypto"
	"crypto/ecdh"
)

// yubikey is what the package asks of piv-go: a YubiKey that is open
// exclusively, in a transaction, until close, and what is done with keys, PIN and
// PUK. Errors carry a Status() uint16 method where the card answered, and a text
// that codeOf knows where PC/SC failed.
//
// Everything else that piv-go could do is done by commands of our own: it proves
// the management key anew for each key that it generates, reads no counters of
// metadata, hides status words in texts, and collects an answer that does not end
// for as long as the card likes.
type yubikey interface {
	close()
	firmware() Version
	handle() (uint64, error) // the SCARDHANDLE
	changePIN(old, new []byte) error
	changePUK(old, new []byte) error
	unblockPIN(puk, new []byte) error
	sign(slot Slot, public crypto.PublicKey, digest []byte, options crypto.SignerOpts) ([]byte, error)
	decrypt(slot Slot, public crypto.PublicKey, ciphertext []byte) ([]byte, error)
	ecdh(slot Slot, public crypto.PublicKey, peer *ecdh.PublicKey) ([]byte, error)
}
