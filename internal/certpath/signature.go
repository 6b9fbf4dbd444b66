package certpath

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/md5"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// verdict is what a signature says about who made it, the best first.
type verdict uint8

const (
	signed  verdict = iota // the key made it
	weak                   // the key made it with MD5 or SHA-1, which others can as well
	unknown                // the algorithm of signature or key is not supported
	forged                 // the key did not make it
)

// minRSABits is the smallest key that crypto/rsa works with.
const minRSABits = 1024

// verify tells whether the issuer's key signed the certificate, whatever else the
// issuer's certificate says.
func verify(cert, issuer *x509.Certificate) verdict {
	rsaKey, isRSA := issuer.PublicKey.(*rsa.PublicKey)
	if issuer.PublicKey == nil || issuer.PublicKeyAlgorithm == x509.DSA ||
		isRSA && (certificate.CheckKey(rsaKey) != nil || rsaKey.N.BitLen() < minRSABits) {
		return guess(cert, issuer)
	}
	switch cert.SignatureAlgorithm {
	case x509.MD5WithRSA:
		digest := md5.Sum(cert.RawTBSCertificate)
		return verifyWeak(cert, issuer, crypto.MD5, digest[:])
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		digest := sha1.Sum(cert.RawTBSCertificate)
		return verifyWeak(cert, issuer, crypto.SHA1, digest[:])
	case x509.UnknownSignatureAlgorithm, x509.MD2WithRSA, x509.DSAWithSHA1, x509.DSAWithSHA256:
		return guess(cert, issuer)
	}
	if issuer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) != nil {
		return forged
	}
	return signed
}

// verifyWeak verifies what crypto/x509 refuses to: that it is the wrong key's is worth
// telling from that it is a weak one's.
func verifyWeak(cert, issuer *x509.Certificate, hash crypto.Hash, digest []byte) verdict {
	switch key := issuer.PublicKey.(type) {
	case *rsa.PublicKey:
		if cert.SignatureAlgorithm != x509.ECDSAWithSHA1 && rsa.VerifyPKCS1v15(key, hash, digest, cert.Signature) == nil {
			return weak
		}
	case *ecdsa.PublicKey:
		if cert.SignatureAlgorithm == x509.ECDSAWithSHA1 && ecdsa.VerifyASN1(key, digest, cert.Signature) {
			return weak
		}
	}
	return forged
}

// guess goes by the identifiers of the keys where the signature cannot be verified.
func guess(cert, issuer *x509.Certificate) verdict {
	if compareKeyID(cert, issuer) == keyDiffers {
		return forged
	}
	return unknown
}

// How a certificate's authority key identifier is related to its issuer's subject key
// identifier (RFC 5280 sections 4.2.1.1 and 4.2.1.2), the best first.
const (
	keySame = iota
	keyUnsaid
	keyDiffers
)

func compareKeyID(cert, issuer *x509.Certificate) int {
	switch {
	case len(cert.AuthorityKeyId) == 0 || len(issuer.SubjectKeyId) == 0:
		return keyUnsaid
	case bytes.Equal(cert.AuthorityKeyId, issuer.SubjectKeyId):
		return keySame
	}
	return keyDiffers
}

// algorithmOf names what stands in the way of verifying the certificate's signature by
// the issuer's key.
func algorithmOf(cert, issuer *x509.Certificate) string {
	switch key := issuer.PublicKey.(type) {
	case nil:
		if cert.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
			return "a key of the kind " + certificate.KeyName(issuer)
		}
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); certificate.CheckKey(key) != nil || bits < minRSABits {
			return fmt.Sprintf("an RSA key of %d bits", bits)
		}
	}
	if cert.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		return cert.SignatureAlgorithm.String()
	}
	return certificate.AlgorithmName(certificate.SignatureAlgorithm(cert))
}
