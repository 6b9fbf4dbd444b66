package attestation

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
)

// algorithmName names a key's algorithm and size as PIV tools do; empty for a
// key that a YubiKey cannot have.
func algorithmName(key crypto.PublicKey) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		switch bits := key.N.BitLen(); bits {
		case 1024, 2048, 3072, 4096:
			return fmt.Sprintf("rsa%d", bits)
		}
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return "eccp256"
		case elliptic.P384():
			return "eccp384"
		}
	case ed25519.PublicKey:
		return "ed25519"
	case *ecdh.PublicKey:
		if key.Curve() == ecdh.X25519() {
			return "x25519"
		}
	}
	return ""
}
