package smime

import (
	"crypto"
	"crypto/rsa"
	"math/big"
	"math/bits"
	"slices"
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

// rocaPrimes returns the small primes by which the moduli of the faulty library are
// known: modulo each of them, it made primes only of powers of 65537 (Nemec, Sys,
// Svenda, Klinec and Matyas, "The Return of Coppersmith's Attack", section 2.2). Those
// modulo which there are few powers come first: they tell nearly every other key.
func rocaPrimes() []uint {
	return []uint{
		37, 11, 97, 61, 13, 17, 19, 3, 5, 7, 23, 29, 31, 41, 43, 47, 53, 59, 67, 71, 73, 79, 83, 89, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
	}
}

// hasROCA tells whether a modulus is, modulo each small prime, a power of 65537.
func hasROCA(n *big.Int) bool {
	for _, p := range rocaPrimes() {
		if !isPower(remainder(n, p), p) {
			return false
		}
	}
	return true
}

// remainder is that of dividing a positive number by a small one, without the quotient,
// which nobody needs.
func remainder(n *big.Int, by uint) (rest uint) {
	for _, word := range slices.Backward(n.Bits()) {
		_, rest = bits.Div(rest, uint(word), by)
	}
	return rest
}

// isPower tells whether a number is, modulo p, a power of 65537.
func isPower(number, p uint) bool {
	power := uint(1)
	for range p {
		if power == number {
			return true
		}
		power = power * 65537 % p
	}
	return false
}
