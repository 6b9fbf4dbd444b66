package certificate

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The bounds of what is read, far above what any authority issues.
const (
	// MaxFile bounds a file of certificates, in octets.
	MaxFile = 4 << 20
	// maxCertificates bounds the certificates of one file.
	maxCertificates = 1000
	// maxNames bounds the alternative names of one certificate.
	maxNames = 1000
	// maxCertificateValues bounds the ASN.1 values of one certificate, which are counted
	// before anything is made of them; a usual one has two hundred.
	maxCertificateValues = 10_000
	// maxValues bounds those of one file, and of one PKCS#7 or PKCS#12.
	maxValues = 400 * maxCertificates
	// maxRSABits bounds the modulus of an authority's key: verifying takes time with its
	// square, and seconds for a hundred thousand bits.
	maxRSABits = 8192
	// maxLeafRSABits bounds that of everybody else's; Gmail takes none that is larger.
	maxLeafRSABits = 4096
)

// TooLargeError is a key or certificate that nothing is done with, because it would
// take too long.
type TooLargeError struct {
	What string // such as "an RSA key of 65536 bits"
	Most int    // the bound, in the units of What
}

// Error names it and the bound.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s is beyond the bound of %d", e.What, e.Most)
}

// Unwrap returns [ErrUnreadable].
func (e *TooLargeError) Unwrap() error { return ErrUnreadable }

// CheckSize returns a [*TooLargeError] for a certificate that must not be worked
// with: one whose key or number of names would cost much time.
func CheckSize(cert *x509.Certificate) error {
	if err := CheckKey(cert.PublicKey); err != nil {
		return err
	}
	authority := cert.IsCA || bytes.Equal(cert.RawSubject, cert.RawIssuer)
	if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && !authority && key.N.BitLen() > maxLeafRSABits {
		return &TooLargeError{fmt.Sprintf("an RSA key of %d bits in a certificate that is no authority's", key.N.BitLen()), maxLeafRSABits}
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
// by an RSA key of 2048 bits (which take a processor of 2020 some 25 microseconds).
func Cost(key crypto.PublicKey) int {
	switch key := key.(type) {
	case *rsa.PublicKey:
		kilobits := (key.N.BitLen() + 1023) / 1024
		cost := max(1, kilobits*kilobits*5/8)
		if kilobits == 2 {
			cost = 1 // the usual size is computed faster
		}
		if key.E > 65537 {
			cost *= 3
		}
		return cost
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return 2
		case elliptic.P224():
			return 6
		case elliptic.P384():
			return 18
		}
		return 56
	}
	return 2
}

func errTooMany() error { return &TooLargeError{"a file's number of certificates", maxCertificates} }

// countValues counts the ASN.1 values in der, in octet strings as well, as extensions are
// (RFC 5280 section 4.2). It stops beyond most.
func countValues(der cryptobyte.String, depth, most int) int {
	n := 0
	for !der.Empty() && n <= most {
		var value cryptobyte.String
		var tag cryptobyte_asn1.Tag
		if !der.ReadAnyASN1(&value, &tag) {
			return n + 1
		}
		if n++; (tag&constructed != 0 || tag == cryptobyte_asn1.OCTET_STRING) && depth < maxDepth {
			n += countValues(value, depth+1, most-n)
		}
	}
	return n
}
