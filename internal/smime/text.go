package smime

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"unicode"
)

// Fingerprint returns the SHA-256 of a certificate's DER encoding in lower-case
// hexadecimal.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// subject returns a certificate's subject, safe to show.
func subject(cert *x509.Certificate) string {
	if name := printable(cert.Subject.String()); name != "" {
		return name
	}
	return "(no subject)"
}

// printable makes text that came from outside safe to show: control and
// invisible formatting characters become spaces.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
}
