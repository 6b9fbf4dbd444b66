package smime

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

func oidEmailAddress() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
}

// EmailAddresses returns the mail addresses a certificate names: first those of
// the subject alternative name, then emailAddress attributes of the subject,
// then a common name that is an address. As they are written; doublets (without
// regard to case) are left out. They come from outside: strip them before
// showing them.
func EmailAddresses(cert *x509.Certificate) []string {
	var list []string
	seen := map[string]bool{}
	for _, address := range append(append([]string(nil), cert.EmailAddresses...), subjectAddresses(cert)...) {
		if !seen[lower(address)] {
			seen[lower(address)] = true
			list = append(list, address)
		}
	}
	return list
}

// subjectAddresses returns the addresses in the subject's name.
func subjectAddresses(cert *x509.Certificate) []string {
	var list []string
	for _, name := range cert.Subject.Names {
		if value, ok := name.Value.(string); ok && name.Type.Equal(oidEmailAddress()) {
			list = append(list, value)
		}
	}
	if safetext.IsAddress(cert.Subject.CommonName) {
		list = append(list, cert.Subject.CommonName)
	}
	return list
}

// HasAddress tells whether a certificate names a mail address. Case is
// disregarded in the domain and, as Gmail does, in the local part.
func HasAddress(cert *x509.Certificate, email string) bool {
	return containsAddress(EmailAddresses(cert), email)
}

func containsAddress(list []string, email string) bool {
	for _, address := range list {
		if lower(address) == lower(email) {
			return true
		}
	}
	return false
}

// lower lower-cases ASCII only: Unicode folding would let look-alikes such as
// the Kelvin sign pass for letters.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
