package baseline

import "crypto/x509"

// KeyIDs returns the usual key identifiers of a SubjectPublicKeyInfo.
func KeyIDs(info []byte) [][]byte {
	return keyIDs(keyBits(&x509.Certificate{RawSubjectPublicKeyInfo: info}), info)
}
