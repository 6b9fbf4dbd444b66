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
