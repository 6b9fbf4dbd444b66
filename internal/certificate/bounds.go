package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
)

// The bounds of what is read, far above what any authority issues.
const (
	// MaxFile bounds a file of certificates, in octets.
	MaxFile = 4 << 20
	// maxCertificates bounds the certificates of one file.
	maxCertificates = 1000
	// maxNames bounds the alternative names of one certificate.
	maxNames = 1000
	// maxRSABits bounds the modulus of a key: verifying takes time with its square,
	// and seconds for a hundred thousand bits.
	maxRSABits = 8192
)

// TooLargeError is a key or certificate that nothing is done with, because it would
// take too long.
type TooLargeError struct {
	What string // such as "an RSA key of 65536 bits"
	Most int
}

// Error names it and the bound.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s is beyond the bound of %d", e.What, e.Most)
}

// CheckSize returns a [*TooLargeError] for a certificate that must not be worked
// with: one whose key or number of names would cost much time.
func CheckSize(cert *x509.Certificate) error {
	if err := CheckKey(cert.PublicKey); err != nil {
		return err
	}
	names := len(cert.EmailAddresses) + len(cert.DNSNames) + len(cert.IPAddresses) + len(cert.URIs) + len(cert.Subject.Names)
	if names > maxNames {
		return &TooLargeError{fmt.Sprintf("a certificate with %d names", names), maxNames}
	}
	return nil
}

// CheckKey returns a [*TooLargeError] for a key with which no signature must be
// verified.
func CheckKey(key crypto.PublicKey) error {
	if key, ok := key.(*rsa.PublicKey); ok && key.N.BitLen() > maxRSABits {
		return &TooLargeError{fmt.Sprintf("an RSA key of %d bits", key.N.BitLen()), maxRSABits}
	}
	return nil
}

// Cost is how long verifying one signature by a key takes, about, in verifications
// by an RSA key of 2048 bits.
func Cost(key crypto.PublicKey) int {
	switch key := key.(type) {
	case *rsa.PublicKey:
		times := (key.N.BitLen() + 2047) / 2048
		cost := times * times
		if key.N.BitLen() > 4096 {
			cost *= 4 // the sizes that are usual are computed faster
		}
		if key.E > 65537 {
			cost *= 2
		}
		return cost
	case *ecdsa.PublicKey:
		times := key.Params().BitSize/128 + 1
		return times * times
	}
	return 1
}

func errTooMany() error {
	return fmt.Errorf("%w: it holds more than %d certificates", ErrUnreadable, maxCertificates)
}
