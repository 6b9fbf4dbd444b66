package yubikey

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
)

// algorithm is the identifier of a key pair's algorithm (SP 800-78-4, table
// 6-2, and Yubico's additions).
type algorithm byte

const (
	rsa1024    algorithm = 0x06
	rsa2048    algorithm = 0x07
	rsa3072    algorithm = 0x05
	rsa4096    algorithm = 0x16
	eccP256    algorithm = 0x11
	eccP384    algorithm = 0x14
	ed25519Key algorithm = 0xe0
	x25519Key  algorithm = 0xe1
)

var algorithms = []algorithm{
	rsa1024, rsa2048, rsa3072, rsa4096, eccP256, eccP384, ed25519Key, x25519Key,
}

// String returns a name such as "rsa2048" or "eccp256".
func (a algorithm) String() string {
	switch a {
	case eccP256:
		return "eccp256"
	case eccP384:
		return "eccp384"
	case ed25519Key:
		return "ed25519"
	case x25519Key:
		return "x25519"
	}
	if bits := a.rsaBits(); bits > 0 {
		return fmt.Sprintf("rsa%d", bits)
	}
	return fmt.Sprintf("algorithm %02x", byte(a))
}

// MarshalText writes the name.
func (a algorithm) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads a name.
func (a *algorithm) UnmarshalText(text []byte) error {
	for _, known := range algorithms {
		if known.String() == string(text) {
			*a = known
			return nil
		}
	}
	return fmt.Errorf("unknown algorithm %q", text)
}

// rsaBits is the length of the modulus, 0 when the algorithm is not RSA.
func (a algorithm) rsaBits() int {
	switch a {
	case rsa1024:
		return 1024
	case rsa2048:
		return 2048
	case rsa3072:
		return 3072
	case rsa4096:
		return 4096
	}
	return 0
}

// curve is the elliptic curve, nil when the algorithm is not ECC on a NIST one.
func (a algorithm) curve() elliptic.Curve {
	switch a {
	case eccP256:
		return elliptic.P256()
	case eccP384:
		return elliptic.P384()
	}
	return nil
}

// algorithmOf returns the algorithm of a private key in the forms that
// x509.ParsePKCS8PrivateKey gives.
func algorithmOf(private crypto.PrivateKey) (algorithm, bool) {
	for _, a := range algorithms {
		switch key := private.(type) {
		case *rsa.PrivateKey:
			if key.N.BitLen() == a.rsaBits() {
				return a, true
			}
		case *ecdsa.PrivateKey:
			if key.Curve == a.curve() {
				return a, true
			}
		case ed25519.PrivateKey:
			if a == ed25519Key {
				return a, true
			}
		case *ecdh.PrivateKey:
			if a == x25519Key && key.Curve() == ecdh.X25519() {
				return a, true
			}
		}
	}
	return 0, false
}

// generate makes a key pair.
func (c *Card) generate(a algorithm) (crypto.PrivateKey, error) {
	switch {
	case a.rsaBits() > 0:
		key, err := c.generateRSA(a.rsaBits())
		if err != nil {
			return nil, err
		}
		if key.N.BitLen() != a.rsaBits() {
			return nil, fmt.Errorf("wanted an RSA key of %d bits, got %d", a.rsaBits(), key.N.BitLen())
		}
		return key, nil
	case a.curve() != nil:
		return ecdsa.GenerateKey(a.curve(), rand.Reader)
	case a == ed25519Key:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case a == x25519Key:
		return ecdh.X25519().GenerateKey(rand.Reader)
	}
	return nil, fmt.Errorf("no key pairs of %v", a)
}

// publicOf returns the public half of a private key.
func publicOf(private crypto.PrivateKey) crypto.PublicKey {
	if key, ok := private.(interface{ Public() crypto.PublicKey }); ok {
		return key.Public()
	}
	return nil
}

// encodePublic returns the data objects of a public key as GENERATE ASYMMETRIC
// and GET METADATA give them: 81 modulus and 82 exponent, or 86 point or key
// (SP 800-73-4 Part 2, table 11).
func encodePublic(public crypto.PublicKey) []byte {
	switch key := public.(type) {
	case *rsa.PublicKey:
		n := key.N.FillBytes(make([]byte, key.Size()))
		e := []byte{byte(key.E >> 16), byte(key.E >> 8), byte(key.E)}
		return appendTLV(appendTLV(nil, 0x81, n), 0x82, e)
	case *ecdsa.PublicKey:
		point, err := key.ECDH()
		if err != nil {
			return nil
		}
		return appendTLV(nil, 0x86, point.Bytes())
	case ed25519.PublicKey:
		return appendTLV(nil, 0x86, key)
	case *ecdh.PublicKey:
		return appendTLV(nil, 0x86, key.Bytes())
	}
	return nil
}
