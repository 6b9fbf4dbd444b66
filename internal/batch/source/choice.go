package source

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/format"
)

// Choice says by whom, or under which rules, the certificate on a user's card was
// issued, where a source has others of the user as well. The zero value admits all.
type Choice struct {
	// Issuers are names of authorities: the common name, or the whole name as RFC 4514
	// writes it, in any case.
	Issuers []string
	// Policies are object identifiers, of certificate policies (RFC 5280 section
	// 4.2.1.4) or of Microsoft's certificate templates.
	Policies []string
}

// Check returns an error for what is no object identifier.
func (c Choice) Check() error {
	for _, policy := range c.Policies {
		if _, err := x509.ParseOID(policy); err != nil {
			return fmt.Errorf("%q is no object identifier, such as 2.23.140.1.5.1.3", policy)
		}
	}
	return nil
}

// Admits tells whether a certificate may be the one on the card: of one of the issuers
// and, where some are given, with one of the policies.
func (c Choice) Admits(cert *x509.Certificate) bool {
	return (len(c.Issuers) == 0 || slices.ContainsFunc(c.Issuers, func(name string) bool {
		return strings.EqualFold(name, cert.Issuer.CommonName) || strings.EqualFold(name, cert.Issuer.String())
	})) && (len(c.Policies) == 0 || slices.ContainsFunc(policiesOf(cert), func(oid string) bool { return slices.Contains(c.Policies, oid) }))
}

// String says what is asked for.
func (c Choice) String() string {
	var parts []string
	if len(c.Issuers) > 0 {
		parts = append(parts, "issued by "+strings.Join(c.Issuers, " or "))
	}
	if len(c.Policies) > 0 {
		parts = append(parts, "with the policy "+strings.Join(c.Policies, " or "))
	}
	return strings.Join(parts, ", ")
}

// templateID is Microsoft's extension szOID_CERTIFICATE_TEMPLATE.
var templateID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 21, 7}

// policiesOf are a certificate's policies and its template.
func policiesOf(cert *x509.Certificate) []string {
	var list []string
	for _, policy := range cert.Policies {
		list = append(list, policy.String())
	}
	for _, e := range cert.Extensions {
		var template struct {
			ID           asn1.ObjectIdentifier
			Major, Minor int `asn1:"optional"`
		}
		if e.Id.Equal(templateID) {
			if _, err := asn1.Unmarshal(e.Value, &template); err == nil {
				list = append(list, template.ID.String())
			}
		}
	}
	return list
}

// Chosen is the warning that one of several certificates was taken.
func Chosen(taken *x509.Certificate, left []*x509.Certificate) string {
	const most = 2
	var others []string
	for _, cert := range left[:min(len(left), most)] {
		others = append(others, describe(cert))
	}
	if len(left) > most {
		others = append(others, fmt.Sprintf("%d more", len(left)-most))
	}
	return fmt.Sprintf("of several certificates the one %s was taken, and not the one %s: choose by issuer or policy which is on the card (certificate-choice)",
		describe(taken), strings.Join(others, ", "))
}

func describe(cert *x509.Certificate) string {
	issuer := cert.Issuer.CommonName
	if issuer == "" {
		issuer = cert.Issuer.String()
	}
	return fmt.Sprintf("of %s, serial %X, until %s", shorten(strings.ToValidUTF8(issuer, "?")), cert.SerialNumber, format.Day(cert.NotAfter))
}
