package baseline_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/smime"
	"github.com/cse-piv/cse-piv/internal/smime/baseline"
)

// TestRules: a certificate that keeps to the requirements has no finding, and one fault
// has the findings of its rule.
func TestRules(t *testing.T) {
	key := newKey(t)
	for name, c := range map[string]struct {
		change func(*x509.Certificate)
		want   []string
	}{
		"good": {func(*x509.Certificate) {}, nil},
		"organization": {func(c *x509.Certificate) {
			c.Policies = []x509.OID{policy(t, 2, 3)}
			drop(c, "2.5.4.42", "2.5.4.4")
			replace(c, "2.5.4.3", "Example GmbH")
		}, nil},
		"mailbox": {func(c *x509.Certificate) {
			c.Policies = []x509.OID{policy(t, 1, 3)}
			c.Subject.ExtraNames = nil
			add(c, "2.5.4.3", "KIM@example.com")
		}, nil},
		"individual with a pseudonym": {func(c *x509.Certificate) {
			c.Policies = []x509.OID{policy(t, 4, 2)}
			c.Subject.ExtraNames = nil
			add(c, "2.5.4.65", "kimmy")
			add(c, "2.5.4.3", "kimmy")
		}, nil},
		"legal entity": {func(c *x509.Certificate) {
			replace(c, "2.5.4.97", "LEIXG-AEYE00EKXESVZUUEBP67")
			c.ExtraExtensions = append(c.ExtraExtensions, extension("1.3.6.1.4.1.52266.1", false, tlv(0x13, []byte("AEYE00EKXESVZUUEBP67"))...))
		}, nil},
		"Greek VAT":                {func(c *x509.Certificate) { replace(c, "2.5.4.97", "VATEL-123"); replace(c, "2.5.4.6", "GR") }, nil},
		"a state's":                {func(c *x509.Certificate) { replace(c, "2.5.4.97", "GOVUS+CA"); replace(c, "2.5.4.6", "US") }, nil},
		"an intergovernmental one": {func(c *x509.Certificate) { replace(c, "2.5.4.97", "INTXG") }, nil},
		"UTF-8 mailbox":            {func(c *x509.Certificate) { alternative(c, mailbox, "kím@xn--bcher-kva.example.com") }, nil},
		"another SHA-256":          {func(c *x509.Certificate) { c.SubjectKeyId = baseline.KeyIDs(c.SubjectKeyId)[3] }, []string{"smbr-ski-method"}},

		"no policy":            {func(c *x509.Certificate) { c.Policies = nil }, []string{"smbr-policies-missing"}},
		"its own policy":       {func(c *x509.Certificate) { c.Policies = []x509.OID{mustOID(t, "1.3.6.1.4.1.99999.1")} }, []string{"smbr-policy"}},
		"two policies":         {func(c *x509.Certificate) { c.Policies = append(c.Policies, policy(t, 3, 2)) }, []string{"smbr-policy-several"}},
		"any policy":           {func(c *x509.Certificate) { c.Policies = append(c.Policies, mustOID(t, "2.5.29.32.0")) }, []string{"smbr-any-policy"}},
		"legacy":               {func(c *x509.Certificate) { c.Policies = []x509.OID{policy(t, 3, 1)} }, []string{"smbr-legacy"}},
		"too long":             {func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 825) }, []string{"smbr-validity"}},
		"as long as it can be": {func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 825).Add(-time.Second) }, []string{"smbr-validity-maximum"}},
		"street alone": {func(c *x509.Certificate) {
			c.Policies = []x509.OID{policy(t, 3, 2)}
			add(c, "2.5.4.9", "Main Street 1")
		}, []string{"smbr-attribute-dependency"}},
		"locality without country": {func(c *x509.Certificate) { drop(c, "2.5.4.6"); add(c, "2.5.4.7", "Bonn") }, []string{"smbr-attribute-dependency"}},
		"state without country":    {func(c *x509.Certificate) { drop(c, "2.5.4.6"); add(c, "2.5.4.8", "NRW") }, []string{"smbr-attribute-dependency"}},
		"EUID and a state":         {func(c *x509.Certificate) { replace(c, "2.5.4.97", "NTRDE+BE-DER3306.HRB12345") }, []string{"smbr-organization-german"}},
		"INT and a reference":      {func(c *x509.Certificate) { replace(c, "2.5.4.97", "INTXG-123") }, []string{"smbr-organization-form"}},
		"legacy, another pseudonym": {func(c *x509.Certificate) {
			legacyPerson(t, c)
			add(c, "2.5.4.65", "kimmy")
			add(c, "2.5.4.3", "Max Muster")
		}, []string{"smbr-common-name"}},
		"legacy, another address as name": {func(c *x509.Certificate) {
			legacyPerson(t, c)
			add(c, "2.5.4.3", "lee@example.com")
		}, []string{"smbr-attribute-email"}},
		"legacy, a name": {func(c *x509.Certificate) {
			legacyPerson(t, c)
			add(c, "2.5.4.3", "Max Muster")
		}, nil},
		"time stamp of Adobe's": {func(c *x509.Certificate) {
			c.Policies = []x509.OID{policy(t, 3, 2)}
			c.ExtraExtensions = append(c.ExtraExtensions, extension("1.2.840.113583.1.1.9.1", false, tlv(0x30, append([]byte{2, 1, 1}, tlv(0x86, []byte("http://tsa.example.com/"))...))...))
		}, nil},
		"time stamp at a host": {func(c *x509.Certificate) {
			c.Policies = []x509.OID{policy(t, 3, 2)}
			c.ExtraExtensions = append(c.ExtraExtensions, extension("1.2.840.113583.1.1.9.1", false, tlv(0x30, append([]byte{2, 1, 1}, tlv(0x82, []byte("tsa.example.com"))...))...))
		}, []string{"smbr-encoding"}},
		"street, strict":          {func(c *x509.Certificate) { add(c, "2.5.4.9", "Main Street 1"); add(c, "2.5.4.7", "Bonn") }, []string{"smbr-attribute-prohibited"}},
		"description":             {func(c *x509.Certificate) { add(c, "2.5.4.13", "text") }, []string{"smbr-attribute-prohibited"}},
		"no organization":         {func(c *x509.Certificate) { drop(c, "2.5.4.10") }, []string{"smbr-attribute-missing"}},
		"no person":               {func(c *x509.Certificate) { drop(c, "2.5.4.4", "2.5.4.42", "2.5.4.3") }, []string{"smbr-attribute-missing"}},
		"pseudonym beside":        {func(c *x509.Certificate) { add(c, "2.5.4.65", "kimmy") }, []string{"smbr-pseudonym"}},
		"somebody else's name":    {func(c *x509.Certificate) { replace(c, "2.5.4.3", "Max Muster") }, []string{"smbr-common-name"}},
		"a dash":                  {func(c *x509.Certificate) { add(c, "2.5.4.12", " - ") }, []string{"smbr-attribute-insignificant"}},
		"a space at the end":      {func(c *x509.Certificate) { add(c, "2.5.4.12", "Head ") }, []string{"smbr-attribute-space"}},
		"an entity":               {func(c *x509.Certificate) { add(c, "2.5.4.12", "R&amp;D") }, []string{"smbr-attribute-entity"}},
		"no entity":               {func(c *x509.Certificate) { add(c, "2.5.4.12", "R&D; head") }, nil},
		"an address as title":     {func(c *x509.Certificate) { add(c, "2.5.4.12", "lee@example.com") }, []string{"smbr-attribute-email"}},
		"another address":         {func(c *x509.Certificate) { add(c, "1.2.840.113549.1.9.1", "lee@example.com") }, []string{"smbr-subject-email"}},
		"no such country":         {func(c *x509.Certificate) { replace(c, "2.5.4.6", "de") }, []string{"smbr-country", "smbr-organization-country-name"}},
		"GOV and a reference":     {func(c *x509.Certificate) { replace(c, "2.5.4.97", "GOVDE-7") }, []string{"smbr-organization-form"}},
		"VAT of Northern Ireland": {func(c *x509.Certificate) { replace(c, "2.5.4.97", "VATXI-7"); drop(c, "2.5.4.6") }, nil},
		"a bank's":                {func(c *x509.Certificate) { replace(c, "2.5.4.97", "PSDDE-BAFIN-123456") }, nil},
		"LEI of no country":       {func(c *x509.Certificate) { replace(c, "2.5.4.97", "LEI-AEYE00EKXESVZUUEBP67") }, []string{"smbr-organization-form"}},
		"INT of a country":        {func(c *x509.Certificate) { replace(c, "2.5.4.97", "INTDE") }, []string{"smbr-organization-country"}},
		"NTR of a state":          {func(c *x509.Certificate) { replace(c, "2.5.4.97", "NTRUS+CA-7"); replace(c, "2.5.4.6", "US") }, nil},
		"NTR of a long state":     {func(c *x509.Certificate) { replace(c, "2.5.4.97", "NTRUS+CALI-7"); replace(c, "2.5.4.6", "US") }, []string{"smbr-organization-form"}},
		"scheme in small letters": {func(c *x509.Certificate) { replace(c, "2.5.4.97", "ntrDE-DER3306.HRB12345") }, []string{"smbr-organization-form"}},
		"organization in BMPString": {func(c *x509.Certificate) {
			replace(c, "2.5.4.97", asn1.RawValue{Tag: asn1.TagBMPString, Bytes: []byte("\x00I\x00N\x00T\x00X\x00G")})
		}, []string{"smbr-organization-encoding"}},
		"LEI of a person": {func(c *x509.Certificate) {
			c.Policies = []x509.OID{policy(t, 4, 2)}
			drop(c, "2.5.4.97", "2.5.4.10", "2.5.4.6")
			c.ExtraExtensions = append(c.ExtraExtensions, extension("1.3.6.1.4.1.52266.1", false, tlv(0x13, []byte("AEYE00EKXESVZUUEBP67"))...))
		}, []string{"smbr-lei-prohibited"}},
		"critical LEI and role": {func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extension("1.3.6.1.4.1.52266.1", true, tlv(0x13, []byte("AEYE00EKXESVZUUEBP67"))...), extension("1.3.6.1.4.1.52266.2", false, tlv(0x0c, []byte("CEO"))...))
		}, []string{"smbr-encoding", "smbr-lei-critical"}},
		"65 characters":            {func(c *x509.Certificate) { add(c, "2.5.4.12", strings.Repeat("x", 65)) }, []string{"smbr-attribute-length"}},
		"64 letters of two octets": {func(c *x509.Certificate) { add(c, "2.5.4.12", strings.Repeat("\u00f6", 64)) }, nil},
		"PrintableString with an underscore": {func(c *x509.Certificate) {
			add(c, "2.5.4.12", asn1.RawValue{Tag: asn1.TagPrintableString, Bytes: []byte("Head_of")})
		}, []string{"smbr-encoding"}},
		"a line end in a title": {func(c *x509.Certificate) { add(c, "2.5.4.12", "Head\nof all") }, []string{"smbr-encoding"}},
		"country in UTF8String": {func(c *x509.Certificate) {
			replace(c, "2.5.4.6", asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte("DE")})
		}, []string{"smbr-encoding"}},
		"CRL with a blank":  {func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example.com/my ca.crl"} }, []string{"smbr-uri"}},
		"CRL with brackets": {func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example.com/ca[1].crl"} }, []string{"smbr-uri"}},
		"CRL of no scheme":  {func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"crl.example.com/ca.crl"} }, []string{"smbr-crl-http", "smbr-crl-scheme", "smbr-internal-domain", "smbr-uri"}},
		"CRL at an address": {func(c *x509.Certificate) {
			c.CRLDistributionPoints = []string{"http://93.184.216.34/ca.crl", "http://[2606:2800::1]/ca.crl"}
		}, nil},
		"CRL at a private one": {func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://10.1.2.3/ca.crl"} }, []string{"smbr-internal-domain"}},
		"CRL over HTTP":        {func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"HTTP://CRL.example.com/ca%20b.crl"} }, nil},
		"CRL by https":         {func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"https://crl.example.com/ca.crl"} }, []string{"smbr-crl-http", "smbr-crl-scheme"}},
		"critical CRL": {func(c *x509.Certificate) {
			c.CRLDistributionPoints = nil
			c.ExtraExtensions = append(c.ExtraExtensions, extension("2.5.29.31", true, tlv(0x30, tlv(0x30, tlv(0xa0, tlv(0xa0, tlv(0x86, []byte("http://crl.example.com/ca.crl"))))))...))
		}, []string{"smbr-crl-critical"}},
		"CRL of an issuer alone": {func(c *x509.Certificate) {
			c.CRLDistributionPoints = nil
			c.ExtraExtensions = append(c.ExtraExtensions, extension("2.5.29.31", false, tlv(0x30, tlv(0x30, tlv(0xa2, tlv(0xa4, c.RawSubject))))...))
		}, []string{"smbr-crl-http"}},
		"critical AIA": {func(c *x509.Certificate) {
			c.IssuingCertificateURL = nil
			c.ExtraExtensions = append(c.ExtraExtensions, extension("1.3.6.1.5.5.7.1.1", true, tlv(0x30, tlv(0x30, append([]byte{6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2}, tlv(0x86, []byte("http://pki.example.com/ca.cer"))...)))...))
		}, []string{"smbr-aia-critical"}},
		"critical SKI": {func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extension("2.5.29.14", true, tlv(4, c.SubjectKeyId)...))
			c.SubjectKeyId = nil
		}, []string{"smbr-ski"}},
		"critical alternative name": {func(c *x509.Certificate) {
			alternative(c, "", "kim@example.com")
			c.ExtraExtensions[0].Critical = true
		}, []string{"smbr-san-critical"}},
		"a notice with a reference": {func(c *x509.Certificate) {
			c.Policies = nil
			c.ExtraExtensions = append(c.ExtraExtensions, notice(tlv(0x30, append(tlv(0x0c, []byte("Acme")), tlv(0x30, nil)...))))
		}, []string{"smbr-policy-qualifier", "smbr-user-notice"}},
		"a long notice": {func(c *x509.Certificate) {
			c.Policies = nil
			c.ExtraExtensions = append(c.ExtraExtensions, notice(tlv(0x0c, []byte(strings.Repeat("x", 256)))))
		}, []string{"smbr-policy-qualifier", "smbr-user-notice"}},
		"a notice": {func(c *x509.Certificate) {
			c.Policies = nil
			c.ExtraExtensions = append(c.ExtraExtensions, notice(tlv(0x0c, []byte("Gr\u00fc\u00dfe"))))
		}, []string{"smbr-policy-qualifier"}},
		"another country":     {func(c *x509.Certificate) { replace(c, "2.5.4.6", "FR") }, []string{"smbr-organization-country-name"}},
		"no reference":        {func(c *x509.Certificate) { replace(c, "2.5.4.97", "VATDE") }, []string{"smbr-organization-form"}},
		"free text":           {func(c *x509.Certificate) { replace(c, "2.5.4.97", "our number 7") }, []string{"smbr-organization-form"}},
		"unknown scheme":      {func(c *x509.Certificate) { replace(c, "2.5.4.97", "TAXDE-7") }, []string{"smbr-organization-scheme"}},
		"LEI of a country":    {func(c *x509.Certificate) { replace(c, "2.5.4.97", "LEIDE-AEYE00EKXESVZUUEBP67") }, []string{"smbr-organization-country"}},
		"VAT of a state":      {func(c *x509.Certificate) { replace(c, "2.5.4.97", "VATDE+BY-7") }, []string{"smbr-organization-state"}},
		"no EUID":             {func(c *x509.Certificate) { replace(c, "2.5.4.97", "NTRDE-HRB12345") }, []string{"smbr-organization-german"}},
		"mistyped LEI":        {func(c *x509.Certificate) { replace(c, "2.5.4.97", "LEIXG-AEYE00EKXESVZUUEBP76") }, []string{"smbr-lei-check-digits"}},
		"short LEI":           {func(c *x509.Certificate) { replace(c, "2.5.4.97", "LEIXG-AEYE00EKXESVZUUEBP6") }, []string{"smbr-lei-form"}},
		"no alternative name": {func(c *x509.Certificate) { c.EmailAddresses = nil }, []string{"smbr-san-missing"}},
		"no address":          {func(c *x509.Certificate) { c.EmailAddresses, c.DNSNames = nil, []string{"example.com"} }, []string{"smbr-san-mailbox", "smbr-san-type"}},
		"an IP address":       {func(c *x509.Certificate) { c.IPAddresses = []net.IP{{192, 0, 2, 1}} }, []string{"smbr-san-type"}},
		"UPN, strict": {func(c *x509.Certificate) {
			alternative(c, "", "kim@example.com", "1.3.6.1.4.1.311.20.2.3", "kim@corp.local")
		}, []string{"smbr-san-other-name"}},
		"UPN of no form": {func(c *x509.Certificate) {
			c.Policies = []x509.OID{policy(t, 3, 2)}
			alternative(c, "", "kim@example.com", "1.3.6.1.4.1.311.20.2.3", "kim")
		}, []string{"smbr-upn"}},
		"no mail address":       {func(c *x509.Certificate) { alternative(c, "", "kim lee@example.com") }, []string{"smbr-mailbox"}},
		"internal domain":       {func(c *x509.Certificate) { alternative(c, "", "kim@mail.corp") }, []string{"smbr-internal-domain"}},
		"UTF-8 mailbox of none": {func(c *x509.Certificate) { alternative(c, mailbox, "kim@example.com") }, []string{"smbr-utf8-mailbox-ascii"}},
		"UTF-8 domain":          {func(c *x509.Certificate) { alternative(c, mailbox, "kím@bücher.com") }, []string{"smbr-utf8-mailbox-domain"}},
		"upper-case domain":     {func(c *x509.Certificate) { alternative(c, mailbox, "kím@Example.com") }, []string{"smbr-utf8-mailbox-domain"}},
		"no CRL":                {func(c *x509.Certificate) { c.CRLDistributionPoints = nil }, []string{"smbr-crl-missing"}},
		"CRL by ldap":           {func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"ldap://ldap.example.com/cn=ca"} }, []string{"smbr-crl-http", "smbr-crl-scheme"}},
		"CRL inside":            {func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://pki/ca.crl"} }, []string{"smbr-internal-domain"}},
		"no AIA":                {func(c *x509.Certificate) { c.IssuingCertificateURL = nil }, []string{"smbr-aia-missing"}},
		"OCSP alone": {func(c *x509.Certificate) {
			c.IssuingCertificateURL, c.OCSPServer = nil, []string{"http://ocsp.example.com/"}
		}, []string{"smbr-aia-issuers"}},
		"https":                {func(c *x509.Certificate) { c.OCSPServer = []string{"https://ocsp.example.com/"} }, []string{"smbr-aia-http", "smbr-aia-scheme"}},
		"no key usage":         {func(c *x509.Certificate) { c.KeyUsage = 0 }, []string{"smbr-key-usage-missing"}},
		"RSA's key usage":      {func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment }, []string{"smbr-key-usage-algorithm", "smbr-key-usage-prohibited"}},
		"an authority's usage": {func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign }, []string{"smbr-key-usage-algorithm", "smbr-key-usage-authority", "smbr-key-usage-prohibited"}},
		"no purpose":           {func(c *x509.Certificate) { c.ExtKeyUsage = nil }, []string{"smbr-extended-key-usage-missing"}},
		"another purpose":      {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, []string{"smbr-extended-key-usage-mail", "smbr-extended-key-usage-prohibited"}},
		"log in, strict":       {func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) }, []string{"smbr-extended-key-usage-prohibited"}},
		"log in, multipurpose": {func(c *x509.Certificate) {
			c.Policies = []x509.OID{policy(t, 3, 2)}
			c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
		}, nil},
		"any purpose": {func(c *x509.Certificate) {
			c.Policies = []x509.OID{policy(t, 3, 2)}
			c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageAny)
		}, []string{"smbr-extended-key-usage-prohibited"}},
		"an authority": {func(c *x509.Certificate) { c.BasicConstraintsValid, c.IsCA = true, true }, []string{"smbr-authority"}},
		"issuer and serial in the AKI": {func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extension("2.5.29.35", false, 0x30, 6, 0x80, 1, 1, 0x82, 1, 7))
		}, []string{"smbr-aki-issuer"}},
		"QC statements": {func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extension("1.3.6.1.5.5.7.1.3", true, 0x30, 10, 0x30, 8, 6, 6, 4, 0, 0x8e, 0x46, 1, 1))
		}, []string{"smbr-qc-critical"}},
		"VAT of Greece":           {func(c *x509.Certificate) { replace(c, "2.5.4.97", "VATEL-123456789"); replace(c, "2.5.4.6", "GR") }, nil},
		"VAT of XI, country GB":   {func(c *x509.Certificate) { replace(c, "2.5.4.97", "VATXI-123456789"); replace(c, "2.5.4.6", "GB") }, nil},
		"a country of users' own": {func(c *x509.Certificate) { drop(c, "2.5.4.6"); replace(c, "2.5.4.97", "NTRXK-7") }, []string{"smbr-organization-country"}},
		"a reserved code": {func(c *x509.Certificate) {
			replace(c, "2.5.4.97", "LEIXG-AEYE00EKXESVZUUEBP67")
			replace(c, "2.5.4.6", "UK")
		}, []string{"smbr-country"}},
		"a payment service":        {func(c *x509.Certificate) { replace(c, "2.5.4.97", "PSDDE-BAFIN-1234.5") }, nil},
		"PSD without an authority": {func(c *x509.Certificate) { replace(c, "2.5.4.97", "PSDDE-1234") }, []string{"smbr-organization-form"}},
		"not applicable":           {func(c *x509.Certificate) { add(c, "2.5.4.12", "N/A") }, []string{"smbr-attribute-insignificant"}},
		"an underscore":            {func(c *x509.Certificate) { add(c, "2.5.4.12", "_") }, []string{"smbr-attribute-insignificant"}},
		"serial number in UTF-8": {func(c *x509.Certificate) {
			add(c, "2.5.4.5", asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte("7")})
		}, []string{"smbr-encoding"}},
		"an address in UTF-8": {func(c *x509.Certificate) {
			add(c, idEmail, asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte("kim@example.com")})
		}, []string{"smbr-encoding"}},
		"a name in IA5String": {func(c *x509.Certificate) {
			replace(c, "2.5.4.3", asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte("Kim Lee")})
		}, []string{"smbr-encoding"}},
		"a directory's address": {func(c *x509.Certificate) {
			directory(t, c, attribute("2.5.4.97", "NTRUS-7"), attribute("2.5.4.10", "Org"), attribute("2.5.4.4", "Lee"), attribute(idEmail, "li@example.com"))
		}, []string{"smbr-attribute-email"}},
		"a quoted address":         {func(c *x509.Certificate) { alternative(c, "", `"kim lee"@example.com`) }, nil},
		"quotation marks within":   {func(c *x509.Certificate) { alternative(c, "", `"kim"lee"@example.com`) }, []string{"smbr-mailbox"}},
		"a long local part":        {func(c *x509.Certificate) { alternative(c, "", strings.Repeat("k", 65)+"@example.com") }, []string{"smbr-local-part-length", "smbr-mailbox"}},
		"a long local part, UTF-8": {func(c *x509.Certificate) { alternative(c, mailbox, strings.Repeat("\u00ed", 33)+"@example.com") }, []string{"smbr-local-part-length"}},
		"a practice statement":     {func(c *x509.Certificate) { qualified(c, 1, tlv(0x16, []byte("https://example.com/cps"))) }, []string{"smbr-policy-qualifier"}},
		"one that is no IA5String": {func(c *x509.Certificate) { qualified(c, 1, tlv(0x0c, []byte("https://example.com/cps"))) }, []string{"smbr-encoding", "smbr-policy-qualifier"}},
		"a notice without text":    {func(c *x509.Certificate) { qualified(c, 2, tlv(0x30, nil)) }, []string{"smbr-policy-qualifier", "smbr-user-notice"}},
		"a critical delta list": {func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extension("2.5.29.46", true, 0x30, 0))
		}, []string{"smbr-critical"}},
		"key usage with a zero bit": {func(c *x509.Certificate) {
			c.KeyUsage = 0
			c.ExtraExtensions = append(c.ExtraExtensions, extension("2.5.29.15", true, 3, 2, 0, 0x88))
		}, []string{"smbr-encoding"}},
		"what DER leaves out": {func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extension("2.5.29.19", true, 0x30, 3, 1, 1, 0))
		}, []string{"smbr-encoding"}},
		"capabilities": {func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extension(idCapabilities, false, 0x30, 4, 0x30, 2, 6, 0))
		}, nil},
		"malformed capabilities": {func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extension(idCapabilities, false, 0x30, 2, 6, 0))
		}, []string{"smbr-encoding"}},
		"a limit in no currency": {func(c *x509.Certificate) {
			statement(c, 2, tlv(0x30, []byte{0x0c, 3, 'E', 'U', 'R', 2, 1, 1, 2, 1, 3}))
		}, []string{"smbr-encoding"}},
		"a limit in euro": {func(c *x509.Certificate) {
			statement(c, 2, tlv(0x30, []byte{0x13, 3, 'E', 'U', 'R', 2, 1, 1, 2, 1, 3}))
		}, nil},
		"a country's law":       {func(c *x509.Certificate) { statement(c, 7, tlv(0x30, []byte{0x13, 2, 'D', 'E'})) }, nil},
		"the law of no country": {func(c *x509.Certificate) { statement(c, 7, tlv(0x30, []byte{0x0c, 2, 'D', 'E'})) }, []string{"smbr-encoding"}},
		"a role of an organization": {func(c *x509.Certificate) {
			c.Policies = []x509.OID{policy(t, 2, 3)}
			drop(c, "2.5.4.3", "2.5.4.4", "2.5.4.42")
			c.ExtraExtensions = append(c.ExtraExtensions, extension("1.3.6.1.4.1.52266.2", false, tlv(0x13, []byte("CEO"))...))
		}, []string{"smbr-lei-prohibited"}},
		"QC statement with too much": {func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extension("1.3.6.1.5.5.7.1.3", false, 0x30, 12, 0x30, 10, 6, 6, 4, 0, 0x8e, 0x46, 1, 1, 5, 0))
		}, []string{"smbr-encoding"}},
	} {
		template := good(t, key)
		c.change(template)
		var got []string
		for _, f := range baseline.Check(issue(t, template, key), baseline.Profile{Validation: baseline.Sponsored, Generation: baseline.Strict}) {
			got = append(got, f.ID)
		}
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, c.want) {
			t.Errorf("%s: found %q, want %q", name, got, c.want)
		}
	}
}

// TestKeys: what a key may be used for follows from its kind.
func TestKeys(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key   crypto.Signer
		usage x509.KeyUsage
		want  []string
	}{
		"RSA for both":                {long, x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, nil},
		"RSA for data":                {long, x509.KeyUsageDigitalSignature | x509.KeyUsageDataEncipherment, []string{"smbr-key-usage-prohibited"}},
		"RSA for agreement":           {long, x509.KeyUsageKeyAgreement, []string{"smbr-key-usage-algorithm", "smbr-key-usage-kind"}},
		"Ed25519 for signing":         {edwards, x509.KeyUsageDigitalSignature, nil},
		"Ed25519 for signing for all": {edwards, x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, nil},
		"Ed25519 for encryption":      {edwards, x509.KeyUsageKeyAgreement, []string{"smbr-key-usage-algorithm", "smbr-key-usage-kind"}},
	} {
		template := good(t, c.key)
		template.KeyUsage = c.usage
		var got []string
		for _, f := range baseline.Check(issue(t, template, c.key), baseline.Profile{}) {
			got = append(got, f.ID)
		}
		if slices.Sort(got); !slices.Equal(got, c.want) {
			t.Errorf("%s: found %q, want %q", name, got, c.want)
		}
	}
}

// FuzzCheck: no certificate that can be parsed makes Check panic, and whatever it finds
// has a rule.
func FuzzCheck(f *testing.F) {
	key := newKey(f)
	f.Add(issue(f, good(f, key), key).Raw)
	known := map[string]bool{}
	for _, rule := range baseline.Rules() {
		if known[rule.ID] || rule.Title == "" || rule.Why == "" || rule.Ask == "" || rule.Source == "" {
			f.Fatalf("the rule %q is there twice, or does not say what it asks for, why, what to ask for, or from where", rule.ID)
		}
		known[rule.ID] = true
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		for _, found := range baseline.Check(cert, baseline.Profile{}) {
			if !known[found.ID] || found.Message == "" {
				t.Errorf("%+v", found)
			}
		}
	})
}

// FuzzExtensions: whatever stands in an extension that crypto/x509 does not read, Check
// does not panic.
func FuzzExtensions(f *testing.F) {
	key := newKey(f)
	cert := issue(f, good(f, key), key)
	for _, e := range cert.Extensions {
		f.Add(e.Value)
	}
	template := good(f, key)
	alternative(template, "", "kim@example.com", mailbox, "kím@example.com", "1.3.6.1.4.1.311.20.2.3", "kim@corp.local")
	f.Add(template.ExtraExtensions[0].Value)
	f.Add([]byte{0x30, 12, 0x30, 10, 6, 6, 4, 0, 0x8e, 0x46, 1, 1, 5, 0})
	f.Fuzz(func(_ *testing.T, value []byte) {
		fuzzed := *cert
		fuzzed.Extensions, fuzzed.RawSubject, fuzzed.RawSubjectPublicKeyInfo, fuzzed.RawTBSCertificate = nil, value, value, value
		for _, id := range []string{
			"2.5.29.17", "2.5.29.31", "2.5.29.32", "2.5.29.35", "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.3", "1.3.6.1.4.1.52266.1", "1.3.6.1.4.1.52266.2",
		} {
			fuzzed.Extensions = append(fuzzed.Extensions, extension(id, false, value...))
		}
		baseline.Check(&fuzzed, baseline.Profile{Validation: baseline.Sponsored, Generation: baseline.Strict})
		smime.EmailAddresses(&fuzzed)
	})
}

// BenchmarkCheck measures one certificate.
func BenchmarkCheck(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	cert := issue(b, good(b, key), key)
	for b.Loop() {
		baseline.Check(cert, baseline.Profile{})
	}
}

// TestEncodedOtherwise: PSS with another salt than the requirements', and times that
// crypto/x509 reads although RFC 5280 does not allow their form, are found.
func TestEncodedOtherwise(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := good(t, key)
	template.KeyUsage, template.SignatureAlgorithm = x509.KeyUsageDigitalSignature, x509.SHA256WithRSAPSS
	parent := &x509.Certificate{Subject: pkix.Name{CommonName: "Issuing CA"}, SubjectKeyId: []byte{1, 2, 3}}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"as it should be":       {"", "", ""},
		"a salt of twenty":      {"\x02\x01\x20", "\x02\x01\x14", "smbr-signature-algorithm"},
		"no seconds, an offset": {"\x17\x0d260101000000Z\x17\x0d270101000000Z", "\x17\x0b2601010000Z\x17\x0f2701010000+0100", "smbr-time smbr-time"},
	} {
		list, err := certificate.Parse(bytes.ReplaceAll(der, []byte(c.from), []byte(c.to)))
		if err != nil {
			t.Fatal(name, err)
		}
		var ids []string
		for _, f := range baseline.Check(list[0], baseline.Profile{}) {
			ids = append(ids, f.ID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
