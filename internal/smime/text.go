package smime

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// day is how dates are shown.
const day = "2006-01-02"

// Fingerprint returns the SHA-256 of a certificate's DER encoding in lower-case
// hexadecimal.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// subject returns a certificate's subject, safe to show.
func subject(cert *x509.Certificate) string { return certificate.Subject(cert) }
