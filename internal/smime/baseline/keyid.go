package baseline

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
)

// keyIDs returns the key identifiers that are usual for a key: SHA-1 of the key's bits,
// whole or four bits and the last sixty (RFC 5280 section 4.2.1.2), the first 160 bits
// of SHA-256, SHA-384 and SHA-512, and the same of the whole SubjectPublicKeyInfo (RFC
// 7093 section 2).
func keyIDs(bits, info []byte) [][]byte {
	const size = sha1.Size
	whole := sha1.Sum(bits)
	short := append([]byte{0x40 | whole[12]&0x0f}, whole[13:]...)
	list := [][]byte{whole[:], short}
	for _, data := range [][]byte{bits, info} {
		a, b, c := sha256.Sum256(data), sha512.Sum384(data), sha512.Sum512(data)
		list = append(list, a[:size], b[:size], c[:size], a[:])
	}
	return list
}
