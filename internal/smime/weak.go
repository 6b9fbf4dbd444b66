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
var rocaPrimes = func() (primes []*big.Int) {
	for p := int64(3); p <= 167; p += 2 {
		if big.NewInt(p).ProbablyPrime(0) {
			primes = append(primes, big.NewInt(p))
		}
	}
	return primes
}()

// hasROCA tells whether a modulus is, modulo each small prime, a power of 65537.
func hasROCA(n *big.Int) bool {
	rest := new(big.Int)
	for _, p := range rocaPrimes {
		if !isPower(rest.Mod(n, p).Int64(), p.Int64()) {
			return false
		}
	}
	return true
}

// isPower tells whether a number is, modulo p, a power of 65537.
func isPower(number, p int64) bool {
	power := int64(1)
	for range p {
		if power == number {
			return true
		}
		power = power * 65537 % p
	}
	return false
}
