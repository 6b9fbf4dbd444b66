package smime

import (
	"cmp"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"
)

// Part is something in a certificate, for people, and how many bytes it takes.
type Part struct {
	Name string
	Size int
}

// spareExtensions are extensions that neither mail nor Gmail's profile asks for,
// and that nothing is lost without.
var spareExtensions = []struct {
	id   asn1.ObjectIdentifier
	name string
}{
	{asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 13}, "the Netscape comment"},
	{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 12}, "the logotype"},                                    // RFC 3709
	{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 2}, "the biometric information"},                        // RFC 3739
	{asn1.ObjectIdentifier{2, 5, 29, 9}, "the subject directory attributes"},                               // RFC 5280 section 4.2.1.8
	{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, "the list of signed certificate timestamps"}, // RFC 6962
	{asn1.ObjectIdentifier{1, 2, 840, 113533, 7, 65, 0}, "the Entrust version"},
}

// SpareParts returns what a leaf could be issued without, the largest first:
// extensions of no use for mail, texts for people in its policies, and LDAP
// addresses beside http ones. The names of its holder, its policies and everything
// else that Gmail's profile or another use of the certificate may need are not
// among them.
func SpareParts(leaf *x509.Certificate) []Part {
	var parts []Part
	add := func(name string, size int) {
		if size > 0 {
			parts = append(parts, Part{name, size})
		}
	}
	for _, extension := range leaf.Extensions {
		for _, spare := range spareExtensions {
			if extension.Id.Equal(spare.id) {
				add(spare.name, len(extension.Value))
			}
		}
		if extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 32}) {
			add("the notices in its policies", noticeBytes(extension.Value))
		}
	}
	add("LDAP addresses of its revocation list", ldapBytes(leaf.CRLDistributionPoints))
	add("LDAP addresses of its issuer", ldapBytes(leaf.IssuingCertificateURL))
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(b.Size, a.Size) })
	return parts
}

// noticeBytes adds up the user notices in certificate policies (RFC 5280 section
// 4.2.1.4).
func noticeBytes(policies []byte) int {
	var information []struct {
		Policy     asn1.ObjectIdentifier
		Qualifiers []struct {
			ID    asn1.ObjectIdentifier
			Value asn1.RawValue
		} `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(policies, &information); err != nil {
		return 0
	}
	size := 0
	for _, policy := range information {
		for _, qualifier := range policy.Qualifiers {
			if qualifier.ID.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 2}) {
				size += len(qualifier.Value.FullBytes)
			}
		}
	}
	return size
}

// ldapBytes adds up the LDAP addresses, where there is an http one besides.
func ldapBytes(addresses []string) int {
	if web, _ := webAddress(addresses); web == "" {
		return 0
	}
	size := 0
	for _, address := range addresses {
		if lower := strings.ToLower(address); strings.HasPrefix(lower, "ldap:") || strings.HasPrefix(lower, "ldaps:") {
			size += len(address)
		}
	}
	return size
}
