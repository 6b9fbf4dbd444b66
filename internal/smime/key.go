package smime

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// publicKey returns a certificate's key, nil when it is of no known kind.
func publicKey(cert *x509.Certificate) crypto.PublicKey {
	key, err := certificate.PublicKey(cert)
	if err != nil {
		return nil
	}
	return key
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
