package smime

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/net/idna"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

func oidEmailAddress() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
}

// EmailAddresses returns the mail addresses a certificate names: first those of
// the subject alternative name (rfc822Name, then SmtpUTF8Mailbox of RFC 9598), then
// emailAddress attributes of the subject, then a common name that is an address. A
// user principal name is none. As they are written; doublets (see [SameAddress]) are
// left out. They come from outside: strip them before showing them.
func EmailAddresses(cert *x509.Certificate) []string {
	addresses := alternativeAddresses(cert)
	for _, name := range cert.Subject.Names {
		if value, ok := name.Value.(string); ok && name.Type.Equal(oidEmailAddress()) {
			addresses = append(addresses, value)
		}
	}
	if safetext.IsAddress(cert.Subject.CommonName) {
		addresses = append(addresses, cert.Subject.CommonName)
	}
	if len(addresses) < 2 {
		return addresses
	}
	var list []string
	seen := map[string]bool{}
	for _, address := range addresses {
		if key := canonical(address); !seen[key] {
			seen[key] = true
			list = append(list, address)
		}
	}
	return list
}

// alternativeAddresses returns the addresses in the subject alternative name.
func alternativeAddresses(cert *x509.Certificate) []string {
	return slices.Concat(cert.EmailAddresses, utf8Mailboxes(cert))
}

// utf8Mailboxes returns the SmtpUTF8Mailbox names of the subject alternative name
// (RFC 9598 section 3).
func utf8Mailboxes(cert *x509.Certificate) []string {
	var list []string
	for _, e := range cert.Extensions {
		if !e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			continue
		}
		der, names := cryptobyte.String(e.Value), cryptobyte.String(nil)
		if !der.ReadASN1(&names, cryptobyte_asn1.SEQUENCE) {
			return nil
		}
		for !names.Empty() {
			var name, value, text cryptobyte.String
			var tag cryptobyte_asn1.Tag
			var id asn1.ObjectIdentifier
			if !names.ReadAnyASN1(&name, &tag) {
				return list
			}
			other := cryptobyte_asn1.Tag(0).ContextSpecific().Constructed()
			if tag == other && name.ReadASN1ObjectIdentifier(&id) && id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 9}) &&
				name.ReadASN1(&value, other) && value.ReadASN1(&text, cryptobyte_asn1.UTF8String) {
				list = append(list, string(text))
			}
		}
	}
	return list
}

// subjectAddresses returns the addresses in the subject's name, of whatever type the
// attribute is that has one.
func subjectAddresses(cert *x509.Certificate) []string {
	var list []string
	for _, name := range cert.Subject.Names {
		if value, ok := name.Value.(string); ok && (name.Type.Equal(oidEmailAddress()) || safetext.IsAddress(value)) {
			list = append(list, value)
		}
	}
	return list
}

// HasAddress tells whether a certificate names a mail address; see [SameAddress].
func HasAddress(cert *x509.Certificate, email string) bool {
	return containsAddress(EmailAddresses(cert), email)
}

func containsAddress(list []string, email string) bool {
	return slices.ContainsFunc(list, func(address string) bool { return SameAddress(address, email) })
}

// SameAddress tells whether two mail addresses are the same. Case is disregarded in
// the domain and, as Gmail does, in the local part; an internationalized domain is
// the same with A-labels and with U-labels (RFC 5890).
func SameAddress(a, b string) bool { return a == b || canonical(a) == canonical(b) }

// canonical is an address in the form that addresses are compared in.
func canonical(address string) string {
	address = lower(address)
	at := strings.LastIndexByte(address, '@')
	if domain, err := idna.Punycode.ToASCII(address[at+1:]); err == nil {
		return address[:at+1] + domain
	}
	return address
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
