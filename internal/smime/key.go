package smime

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// publicKey returns a certificate's key, X25519 included, which crypto/x509
// leaves out; nil when it is of no known kind.
func publicKey(cert *x509.Certificate) crypto.PublicKey {
	if cert.PublicKey != nil {
		return cert.PublicKey
	}
	key, err := x509.ParsePKIXPublicKey(cert.RawSubjectPublicKeyInfo)
	if err != nil {
		return nil
	}
	return key
}

// certKeyName names a certificate's key for people.
func certKeyName(cert *x509.Certificate) string {
	if key := publicKey(cert); key != nil && cert.PublicKeyAlgorithm != x509.DSA {
		return keyName(key)
	}
	return certificate.KeyName(cert)
}

// keyName names a key for people.
func keyName(key crypto.PublicKey) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "EC " + key.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case *ecdh.PublicKey:
		return fmt.Sprint(key.Curve())
	}
	return fmt.Sprintf("%T", key)
}

// signatureName names the algorithm that a certificate is signed with.
func signatureName(cert *x509.Certificate) string {
	if cert.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		return cert.SignatureAlgorithm.String()
	}
	return certificate.AlgorithmName(certificate.SignatureAlgorithm(cert))
}

// acceptedKey tells whether Gmail takes a key: RSA 2048, 3072 and 4096, P-256
// and P-384.
func acceptedKey(key crypto.PublicKey) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		bits := key.N.BitLen()
		return bits == 2048 || bits == 3072 || bits == 4096
	case *ecdsa.PublicKey:
		return key.Curve == elliptic.P256() || key.Curve == elliptic.P384()
	}
	return false
}
