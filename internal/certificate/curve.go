package certificate

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

func oidECPublicKey() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1} }

// knownCurves are those that crypto/x509 knows (RFC 5480 section 2.1.1.1).
func knownCurves() []string {
	return []string{"1.2.840.10045.3.1.7", "1.3.132.0.33", "1.3.132.0.34", "1.3.132.0.35"}
}

// KeyInfo returns the SubjectPublicKeyInfo of a certificate in DER, nil where there is none.
func KeyInfo(der []byte) []byte {
	input := cryptobyte.String(der)
	var whole, body, info cryptobyte.String
	version := cryptobyte_asn1.Tag(0).ContextSpecific().Constructed()
	if !input.ReadASN1(&whole, cryptobyte_asn1.SEQUENCE) || !whole.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) ||
		!body.SkipOptionalASN1(version) || !body.SkipASN1(cryptobyte_asn1.INTEGER) {
		return nil
	}
	for range 4 { // signature, issuer, validity, subject
		if !body.SkipASN1(cryptobyte_asn1.SEQUENCE) {
			return nil
		}
	}
	if !body.ReadASN1Element(&info, cryptobyte_asn1.SEQUENCE) {
		return nil
	}
	return info
}

// parse parses a certificate. One with an elliptic curve that crypto/x509 does not know has no
// public key then, as those with other unknown keys, for which crypto/x509 is no less content.
func parse(der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err == nil || !hasOtherCurve(KeyInfo(der)) {
		return cert, err
	}
	id := []byte{6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1} // id-ecPublicKey
	info := KeyInfo(der)
	at := offset(der, info) + bytes.Index(info, id) // the first thing in it
	masked := bytes.Clone(der)
	masked[at+len(id)-1] = 0x7f // an algorithm that nobody knows
	if cert, err = x509.ParseCertificate(masked); err != nil {
		return nil, err
	}
	body := offset(cert.Raw, cert.RawTBSCertificate)
	cert.RawTBSCertificate = der[body : body+len(cert.RawTBSCertificate)]
	cert.Raw, cert.RawSubjectPublicKeyInfo = der, info
	return cert, nil
}

// offset is where a part of octets begins in them.
func offset(octets, part []byte) int { return cap(octets) - cap(part) }

// hasOtherCurve reports whether a key is an elliptic curve's that crypto/x509 does not know.
func hasOtherCurve(info cryptobyte.String) bool {
	curve, ok := curveOf(info)
	return ok && !slices.Contains(knownCurves(), curve.String())
}

// curveOf returns the curve of an EC key, nil where its parameters stand there in full; ok is
// false for other keys.
func curveOf(info cryptobyte.String) (curve asn1.ObjectIdentifier, ok bool) {
	var algorithm cryptobyte.String
	var id asn1.ObjectIdentifier
	if !info.ReadASN1(&info, cryptobyte_asn1.SEQUENCE) || !info.ReadASN1(&algorithm, cryptobyte_asn1.SEQUENCE) ||
		!algorithm.ReadASN1ObjectIdentifier(&id) || !id.Equal(oidECPublicKey()) {
		return nil, false
	}
	algorithm.ReadASN1ObjectIdentifier(&curve)
	return curve, true
}

// curveName names a curve: those of SEC 2, and of RFC 5639, which European cards have.
func curveName(curve asn1.ObjectIdentifier) string {
	switch name := curve.String(); name {
	case "":
		return "with parameters of its own"
	case "1.2.840.10045.3.1.1":
		return "P-192"
	case "1.3.132.0.10":
		return "secp256k1"
	case "1.3.36.3.3.2.8.1.1.7":
		return "brainpoolP256r1"
	case "1.3.36.3.3.2.8.1.1.11":
		return "brainpoolP384r1"
	case "1.3.36.3.3.2.8.1.1.13":
		return "brainpoolP512r1"
	default:
		return "on curve " + name
	}
}
