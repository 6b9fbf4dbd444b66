package certificate

import (
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// CipherError is returned for a PKCS#12 that is encrypted in a way that is not read here. It is an
// [ErrUnreadable].
type CipherError struct{ Cipher string }

// Error names the cipher.
func (e *CipherError) Error() string {
	return fmt.Sprintf("%v: it is a PKCS#12 that is encrypted with %s, which is not supported", ErrUnreadable, e.Cipher)
}

// Unwrap returns ErrUnreadable.
func (e *CipherError) Unwrap() error { return ErrUnreadable }

// cipherOf names the cipher of an encrypted part, from its AlgorithmIdentifier: that of PBES2 (RFC
// 8018 section 6.2), or of PKCS#12's own (RFC 7292 appendix C). One that is not known is named by
// its identifier.
func cipherOf(algorithm cryptobyte.String) string {
	var body, parameters, scheme cryptobyte.String
	var id asn1.ObjectIdentifier
	if isPBES2(algorithm) && algorithm.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) && body.SkipASN1(cryptobyte_asn1.OBJECT_IDENTIFIER) &&
		body.ReadASN1(&parameters, cryptobyte_asn1.SEQUENCE) && parameters.SkipASN1(cryptobyte_asn1.SEQUENCE) {
		algorithm = parameters
	}
	if !algorithm.ReadASN1(&scheme, cryptobyte_asn1.SEQUENCE) || !scheme.ReadASN1ObjectIdentifier(&id) {
		return "an unknown cipher"
	}
	switch name := id.String(); name {
	case "1.2.840.113549.1.12.1.1", "1.2.840.113549.1.12.1.2":
		return "RC4"
	case "1.2.840.113549.1.5.1", "1.2.840.113549.1.5.3", "1.2.840.113549.1.5.10", "1.3.14.3.2.7":
		return "DES"
	case "1.2.840.113549.3.7":
		return "3DES by PBES2"
	case "1.2.840.113549.3.2":
		return "RC2 by PBES2"
	case "1.2.392.200011.61.1.1.1.2", "1.2.392.200011.61.1.1.1.3", "1.2.392.200011.61.1.1.1.4":
		return "Camellia"
	case "1.2.410.200046.1.1.2", "1.2.410.200046.1.1.7", "1.2.410.200046.1.1.12":
		return "ARIA"
	case "1.2.410.200004.1.4":
		return "SEED"
	default:
		return "the cipher " + name
	}
}
