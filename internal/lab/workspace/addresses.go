package workspace

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"
)

// oidEmailAddress is the emailAddress attribute of PKCS#9.
var oidEmailAddress = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}

// emailAddresses are the addresses in a certificate: the subject alternative
// names, then those in the subject's name (emailAddress, or a common name that
// is an address), each once.
func emailAddresses(c *x509.Certificate) []string {
	var addresses []string
	add := func(address string) {
		known := slices.ContainsFunc(addresses, func(old string) bool { return canonical(old) == canonical(address) })
		if strings.Count(address, "@") == 1 && !known {
			addresses = append(addresses, address)
		}
	}
	for _, address := range c.EmailAddresses {
		add(address)
	}
	for _, attribute := range c.Subject.Names {
		if text, ok := attribute.Value.(string); ok && attribute.Type.Equal(oidEmailAddress) {
			add(text)
		}
	}
	add(c.Subject.CommonName)
	return addresses
}

// names reports whether the certificate carries the canonical address.
func names(c *x509.Certificate, address string) bool {
	return slices.ContainsFunc(emailAddresses(c), func(a string) bool { return canonical(a) == address })
}

// missingAddresses are those in the subject, in whatever attribute, that the alternative
// names do not repeat.
func missingAddresses(c *x509.Certificate) []string {
	var missing []string
	for _, attribute := range c.Subject.Names {
		text, ok := attribute.Value.(string)
		if !ok || strings.Count(text, "@") != 1 || strings.ContainsAny(text, " <>") {
			continue
		}
		if !slices.ContainsFunc(c.EmailAddresses, func(a string) bool { return canonical(a) == canonical(text) }) {
			missing = append(missing, text)
		}
	}
	return missing
}
