package certificate

import (
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
