package piv

import (
	"bytes"

	"github.com/cse-piv/cse-piv/internal/secret"
)

// FactoryPIN returns the PIN that every YubiKey leaves the factory with.
func FactoryPIN() secret.Secret { return secret.FromString("123456") }

// FactoryPUK returns the PUK that every YubiKey leaves the factory with.
func FactoryPUK() secret.Secret { return secret.FromString("12345678") }

// FactoryManagementKey returns the management key that every YubiKey leaves the
// factory with: 24 bytes, a 3DES key before firmware 5.7 and an AES-192 key
// from there on.
func FactoryManagementKey() secret.Secret {
	return secret.New(bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 3))
}
