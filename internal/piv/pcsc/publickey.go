package pcsc

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"math/big"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
)

// Algorithm identifiers of asymmetric keys (SP 800-78-4 table 6-2; 05, 16, E0
// and E1 are Yubico's, from firmware 5.7).
const (
	AlgorithmRSA1024 = 0x06
	AlgorithmRSA2048 = 0x07
	AlgorithmRSA3072 = 0x05
	AlgorithmRSA4096 = 0x16
	AlgorithmECCP256 = 0x11
	AlgorithmECCP384 = 0x14
	AlgorithmEd25519 = 0xE0
	AlgorithmX25519  = 0xE1
)

// ParsePublicKey reads a public key's data objects (SP 800-73-4 part 2, table
// 10): 81 modulus and 82 exponent, or 86 the point, which is uncompressed on
// the NIST curves and 32 bytes on Curve25519.
func ParsePublicKey(algorithm byte, data []byte) (crypto.PublicKey, error) {
	switch algorithm {
	case AlgorithmRSA1024:
		return public(parseRSA(data, 1024))
	case AlgorithmRSA2048:
		return public(parseRSA(data, 2048))
	case AlgorithmRSA3072:
		return public(parseRSA(data, 3072))
	case AlgorithmRSA4096:
		return public(parseRSA(data, 4096))
	}
	point, err := bertlv.Find(data, 0x86)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	switch algorithm {
	case AlgorithmECCP256:
		return public(ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point))
	case AlgorithmECCP384:
		return public(ecdsa.ParseUncompressedPublicKey(elliptic.P384(), point))
	case AlgorithmEd25519:
		if len(point) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("an Ed25519 public key has %d bytes, not %d", ed25519.PublicKeySize, len(point))
		}
		return ed25519.PublicKey(point), nil
	case AlgorithmX25519:
		return public(ecdh.X25519().NewPublicKey(point))
	}
	return nil, fmt.Errorf("unknown key algorithm %02X", algorithm)
}

// public keeps a nil pointer from becoming a public key that is not nil.
func public[K any](key *K, err error) (crypto.PublicKey, error) {
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	return key, nil
}

func parseRSA(data []byte, bits int) (*rsa.PublicKey, error) {
	modulus, err := bertlv.Find(data, 0x81)
	if err != nil {
		return nil, fmt.Errorf("modulus: %w", err)
	}
	exponent, err := bertlv.Find(data, 0x82)
	if err != nil {
		return nil, fmt.Errorf("exponent: %w", err)
	}
	e := new(big.Int).SetBytes(exponent)
	n := new(big.Int).SetBytes(modulus)
	if n.BitLen() != bits || !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 {
		return nil, fmt.Errorf("not an RSA key of %d bits: %d-bit modulus, exponent of %d bits", bits, n.BitLen(), e.BitLen())
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}
