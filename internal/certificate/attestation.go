package certificate

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"slices"
	"strings"
)

// yubicoArc begins the extensions of an attestation (Yubico, "PIV attestation").
const yubicoArc = "1.3.6.1.4.1.41482.3."

// IsAttestation reports whether a certificate is a YubiKey's attestation of a key, or of
// the key that attests: it proves where the key was generated, and is for no mail.
func IsAttestation(cert *x509.Certificate) bool {
	return slices.ContainsFunc(cert.Extensions, func(extension pkix.Extension) bool {
		return strings.HasPrefix(extension.Id.String(), yubicoArc)
	})
}
