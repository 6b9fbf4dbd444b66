package workspace

import (
	"crypto/rand"
	"encoding/base64"
)

// randomID returns n random bytes in base64url. crypto/rand does not fail.
func randomID(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// keyPairID returns an id as Gmail gives them: 41 bytes, which are 55 characters
// of base64url, and all begin with ANe1B.
func keyPairID() string {
	raw := make([]byte, 41)
	_, _ = rand.Read(raw)
	copy(raw, []byte{0x00, 0xd7, 0xb5, 0x06})
	return base64.RawURLEncoding.EncodeToString(raw)
}

// privateKeyMetadataID returns an id of a key pair's private key.
func privateKeyMetadataID() string { return "ANe1Bn" + randomID(12) }
