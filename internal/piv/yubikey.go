package piv

import (
	"crypto"
	"crypto/ecdh"
	"crypto/x509"
)

// yubikey is what the package asks of piv-go: a YubiKey that is held
// exclusively until close. Errors carry a Status() uint16 method where the card
// answered, and a text that codeOf knows where PC/SC failed.
type yubikey interface {
	close()
	serial() (uint32, error)
	// pinTries returns the tries left, or that the PIN is verified already.
	pinTries() (tries int, verified bool, err error)
	verifyPIN(pin []byte) error
	changePIN(old, new []byte) error
	changePUK(old, new []byte) error
	generate(managementKey []byte, slot Slot, options GenerateOptions) (crypto.PublicKey, error)
	attest(slot Slot) (*x509.Certificate, error) // errNotFound without a generated key
	attestationCertificate() (*x509.Certificate, error)
	touchPolicy(slot Slot) (TouchPolicy, error)
	sign(slot Slot, public crypto.PublicKey, digest []byte, options crypto.SignerOpts) ([]byte, error)
	decrypt(slot Slot, public crypto.PublicKey, ciphertext []byte) ([]byte, error)
	ecdh(slot Slot, public crypto.PublicKey, peer *ecdh.PublicKey) ([]byte, error)
}
