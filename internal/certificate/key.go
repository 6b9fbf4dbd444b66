package certificate

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// PublicKey returns the key of a certificate, X25519 included, for which crypto/x509 leaves
// the field of that name nil. The error is that of a key that crypto/x509 does not know.
func PublicKey(cert *x509.Certificate) (crypto.PublicKey, error) {
	if cert.PublicKey != nil {
		return cert.PublicKey, nil
	}
	key, err := x509.ParsePKIXPublicKey(cert.RawSubjectPublicKeyInfo)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate's public key: %w", err)
	}
	return key, nil
}

// PublicKeyName names the kind of a key for people, such as "RSA 2048" and "EC P-256"; one
// of an unknown kind by its Go type.
func PublicKeyName(key crypto.PublicKey) string {
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

// SameKey reports whether two public keys are the same by value; a key of a kind
// that crypto/x509 does not know is the same as none. A NIST curve point may come as
// an ECDSA or as an ECDH key.
func SameKey(a, b crypto.PublicKey) bool {
	type equaler interface{ Equal(crypto.PublicKey) bool }
	x, ok := normal(a).(equaler)
	y := normal(b)
	return ok && y != nil && x.Equal(y)
}

func normal(key crypto.PublicKey) crypto.PublicKey {
	switch key := key.(type) {
	case nil:
		return nil
	case *ecdsa.PublicKey:
		point, err := key.ECDH()
		if err != nil {
			return nil
		}
		return point
	case *ed25519.PublicKey:
		return *key
	}
	return key
}

// Subject returns a certificate's subject, safe to show.
func Subject(cert *x509.Certificate) string {
	if name := safetext.Clean(cert.Subject.String()); name != "" {
		return name
	}
	return "(no subject)"
}
