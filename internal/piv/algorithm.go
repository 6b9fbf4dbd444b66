package piv

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// Algorithm is the kind and size of a key.
type Algorithm string

// The algorithms of YubiKeys' PIV application.
const (
	RSA1024 Algorithm = "rsa1024"
	RSA2048 Algorithm = "rsa2048"
	RSA3072 Algorithm = "rsa3072"
	RSA4096 Algorithm = "rsa4096"
	ECCP256 Algorithm = "eccp256"
	ECCP384 Algorithm = "eccp384"
	Ed25519 Algorithm = "ed25519"
	X25519  Algorithm = "x25519"
)

// Algorithms returns all algorithms.
func Algorithms() []Algorithm {
	return []Algorithm{RSA1024, RSA2048, RSA3072, RSA4096, ECCP256, ECCP384, Ed25519, X25519}
}

// ParseAlgorithm reads an algorithm's name in any case.
func ParseAlgorithm(text string) (Algorithm, error) {
	algorithm := Algorithm(strings.ToLower(text))
	if !slices.Contains(Algorithms(), algorithm) {
		return "", fmt.Errorf("%q is not an algorithm: there are rsa1024, rsa2048, rsa3072, rsa4096, eccp256, eccp384, ed25519 and x25519", text)
	}
	return algorithm, nil
}

// RSA reports whether it is an RSA algorithm.
func (a Algorithm) RSA() bool { return strings.HasPrefix(string(a), "rsa") }

// AlgorithmOf returns the algorithm of a public key, and whether PIV has it.
func AlgorithmOf(public crypto.PublicKey) (Algorithm, bool) {
	switch key := public.(type) {
	case *rsa.PublicKey:
		algorithm := Algorithm(fmt.Sprintf("rsa%d", key.N.BitLen()))
		return algorithm, slices.Contains(Algorithms(), algorithm)
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return ECCP256, true
		case elliptic.P384():
			return ECCP384, true
		}
	case ed25519.PublicKey:
		return Ed25519, true
	case *ecdh.PublicKey:
		switch key.Curve() {
		case ecdh.X25519():
			return X25519, true
		case ecdh.P256():
			return ECCP256, true
		case ecdh.P384():
			return ECCP384, true
		}
	}
	return "", false
}

// onCard returns the identifier that cards have for the algorithm.
func (a Algorithm) onCard() byte {
	return map[Algorithm]byte{
		RSA1024: pcsc.AlgorithmRSA1024, RSA2048: pcsc.AlgorithmRSA2048, RSA3072: pcsc.AlgorithmRSA3072, RSA4096: pcsc.AlgorithmRSA4096,
		ECCP256: pcsc.AlgorithmECCP256, ECCP384: pcsc.AlgorithmECCP384, Ed25519: pcsc.AlgorithmEd25519, X25519: pcsc.AlgorithmX25519,
	}[a]
}

// algorithmFromCard translates the identifier in a card's metadata.
func algorithmFromCard(id byte) Algorithm {
	for _, algorithm := range Algorithms() {
		if algorithm.onCard() == id {
			return algorithm
		}
	}
	return Algorithm(fmt.Sprintf("unknown(%02x)", id))
}

// Supports reports an *UnsupportedError when a card with that firmware cannot,
// or must not, generate a key of that algorithm. It is asked before anything on
// the card is changed.
func Supports(firmware Version, algorithm Algorithm) error {
	refuse := func(reason string) error {
		return &UnsupportedError{Firmware: firmware, Algorithm: algorithm, Reason: reason}
	}
	switch algorithm {
	case RSA3072, RSA4096, Ed25519, X25519:
		if !firmware.AtLeast(5, 7, 0) {
			return refuse("that takes firmware 5.7")
		}
	case ECCP384:
		if !firmware.AtLeast(4, 0, 0) {
			return refuse("that takes firmware 4.0")
		}
	case RSA1024, RSA2048:
		// YSA-2017-01, CVE-2017-15361 (ROCA): primes that can be guessed.
		if firmware.AtLeast(4, 2, 0) && !firmware.AtLeast(4, 3, 5) {
			return refuse("RSA keys that this firmware generates can be factored (ROCA)")
		}
	case ECCP256:
	default:
		return refuse("unknown algorithm")
	}
	return nil
}

// UnsupportedError is returned for an algorithm that a card cannot or must not generate.
type UnsupportedError struct {
	Firmware  Version
	Algorithm Algorithm
	Reason    string
}

// Error says which algorithm and why.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("a card with firmware %s cannot generate a %s key: %s", e.Firmware, e.Algorithm, e.Reason)
}
