package certificate

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
)

// Fingerprint returns the SHA-256 of a certificate's DER encoding in lower-case
// hexadecimal.
func Fingerprint(cert *x509.Certificate) string { return fingerprint(cert.Raw) }

// KeyFingerprint returns the SHA-256 of a key's SubjectPublicKeyInfo (RFC 5280 section
// 4.1.2.7) in lower-case hexadecimal, or "" for none and for one of an unknown kind.
func KeyFingerprint(key crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return ""
	}
	return fingerprint(der)
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
