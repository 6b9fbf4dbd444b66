package smime

import (
	"crypto"
	"crypto/rsa"
	"math/big"
)

// weakness says what is known to be wrong with a key of an accepted kind; "" where
// nothing is.
func weakness(key crypto.PublicKey) string {
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return ""
	}
	switch {
	case public.E < 3 || public.E%2 == 0:
		return "its RSA exponent is no odd number of 3 or more"
	case hasROCA(public.N):
		return "its RSA key was made by a chip with the ROCA fault (CVE-2017-15361), and can be computed"
	}
	return ""
}

// rocaPrimes are the small primes by which the moduli of the faulty library are
// known: modulo each of them, it made primes only of powers of 65537 (Nemec, Sys,
// Svenda, Klinec and Matyas, "The Return of Coppersmith's Attack", section 2.2).
var rocaPrimes = []int64{
	3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
}

// hasROCA tells whether a modulus is, modulo each small prime, a power of 65537.
func hasROCA(n *big.Int) bool {
	for _, p := range rocaPrimes {
		rest := new(big.Int).Mod(n, big.NewInt(p)).Int64()
		power, found := int64(1), false
		for range p {
			if power == rest {
				found = true
				break
			}
			power = power * 65537 % p
		}
		if !found {
			return false
		}
	}
	return true
}
