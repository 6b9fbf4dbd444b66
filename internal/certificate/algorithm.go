package certificate

import (
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// KeyAlgorithm returns the identifier of a certificate's kind of key, known to
// crypto/x509 or not (RFC 5280 section 4.1.2.7); nil where none can be read.
func KeyAlgorithm(cert *x509.Certificate) asn1.ObjectIdentifier {
	input := cryptobyte.String(cert.RawSubjectPublicKeyInfo)
	return readAlgorithm(input, false)
}

// KeyName names the kind of a certificate's key for people, as PublicKeyName does; a kind
// that crypto/x509 does not know by its curve or algorithm identifier.
func KeyName(cert *x509.Certificate) string {
	if key, err := PublicKey(cert); err == nil && cert.PublicKeyAlgorithm != x509.DSA {
		return PublicKeyName(key)
	}
	if curve, ok := curveOf(cert.RawSubjectPublicKeyInfo); ok {
		return "EC " + curveName(curve)
	}
	if id := KeyAlgorithm(cert); !id.Equal(oidPSS()) {
		return AlgorithmName(id)
	}
	return "RSASSA-PSS"
}

func oidPSS() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10} }

// SignatureAlgorithm returns the identifier of the algorithm that a certificate is
// signed with, known to crypto/x509 or not (RFC 5280 section 4.1.1.2); nil where none
// can be read.
func SignatureAlgorithm(cert *x509.Certificate) asn1.ObjectIdentifier {
	return readAlgorithm(cert.Raw, true)
}

// readAlgorithm reads the AlgorithmIdentifier in a sequence, first or second.
func readAlgorithm(input cryptobyte.String, second bool) asn1.ObjectIdentifier {
	var body, algorithm cryptobyte.String
	var id asn1.ObjectIdentifier
	if !input.ReadASN1(&body, cryptobyte_asn1.SEQUENCE) || second && !body.SkipASN1(cryptobyte_asn1.SEQUENCE) ||
		!body.ReadASN1(&algorithm, cryptobyte_asn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&id) {
		return nil
	}
	return id
}

// AlgorithmName names an algorithm that crypto/x509 has no name for; one that is not
// known either by its identifier.
func AlgorithmName(id asn1.ObjectIdentifier) string {
	switch name := id.String(); name {
	case "":
		return "an unknown algorithm"
	case "1.2.840.113549.1.1.1":
		return "RSA"
	case "1.2.840.10045.2.1":
		return "EC"
	case "1.3.101.110":
		return "X25519"
	case "1.3.101.111":
		return "X448"
	case "1.3.101.112":
		return "Ed25519"
	case "1.3.101.113":
		return "Ed448"
	case "1.2.840.10040.4.1":
		return "DSA"
	case "1.2.840.113549.1.1.10":
		return "RSASSA-PSS with unusual parameters"
	case "2.16.840.1.101.3.4.3.17":
		return "ML-DSA-44"
	case "2.16.840.1.101.3.4.3.18":
		return "ML-DSA-65"
	case "2.16.840.1.101.3.4.3.19":
		return "ML-DSA-87"
	case "2.16.840.1.101.3.4.4.1":
		return "ML-KEM-512"
	case "2.16.840.1.101.3.4.4.2":
		return "ML-KEM-768"
	case "2.16.840.1.101.3.4.4.3":
		return "ML-KEM-1024"
	default:
		return "an unknown algorithm, " + name
	}
}
