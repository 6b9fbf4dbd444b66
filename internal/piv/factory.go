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

// IsFactoryManagementKey reports whether the key is the factory one. As a 3DES
// key it is the same whatever the lowest bit of each byte, its parity, says
// (FIPS 46-3).
func IsFactoryManagementKey(key secret.Secret) bool {
	return withoutParity(key).Equal(withoutParity(FactoryManagementKey()))
}

func withoutParity(key secret.Secret) secret.Secret {
	raw := key.Reveal()
	defer clear(raw)
	for i := range raw {
		raw[i] &^= 1
	}
	return secret.New(raw)
}
