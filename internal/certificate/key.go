package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

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
