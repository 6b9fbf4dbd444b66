package baseline_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/smime/baseline"
)

// issue signs a template with a new authority's key.
func issue(t testing.TB, template *x509.Certificate, key crypto.Signer) *x509.Certificate {
	t.Helper()
	authority, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent := &x509.Certificate{Subject: pkix.Name{CommonName: "Issuing CA"}, SubjectKeyId: []byte{1, 2, 3}}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), authority)
	if err != nil {
		t.Fatal(err)
	}
	list, err := certificate.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func newKey(t testing.TB) crypto.Signer { return certtest.NewKey(t, elliptic.P256()) }

// good is a template of a strict, sponsor-validated certificate without a fault.
func good(t testing.TB, key crypto.Signer) *x509.Certificate {
	t.Helper()
	info, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return &x509.Certificate{
		SerialNumber: new(big.Int).Lsh(big.NewInt(7), 100), NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		Subject: pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
			attribute("2.5.4.97", "NTRDE-DER3306.HRB12345"), attribute("2.5.4.10", "Example GmbH"), attribute("2.5.4.6", "DE"),
			attribute("2.5.4.42", "Kim"), attribute("2.5.4.4", "Lee"), attribute("2.5.4.3", "Kim Lee"),
		}},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		EmailAddresses: []string{"kim@example.com"}, Policies: []x509.OID{policy(t, 3, 3)}, SubjectKeyId: baseline.KeyIDs(info)[0],
		CRLDistributionPoints: []string{"http://crl.example.com/ca.crl"}, IssuingCertificateURL: []string{"http://pki.example.com/ca.cer"},
	}
}

func policy(t testing.TB, validation, generation uint64) x509.OID {
	t.Helper()
	id, err := x509.OIDFromInts([]uint64{2, 23, 140, 1, 5, validation, generation})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func attribute(id string, value any) pkix.AttributeTypeAndValue {
	if text, isText := value.(string); isText && id == idEmail {
		value = asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(text)} // as RFC 5280 asks, and crypto/x509/pkix does not
	}
	return pkix.AttributeTypeAndValue{Type: object(id), Value: value}
}

func object(id string) (list asn1.ObjectIdentifier) {
	for arc := range strings.SplitSeq(id, ".") {
		n, _ := new(big.Int).SetString(arc, 10)
		list = append(list, int(n.Int64()))
	}
	return list
}

// extension is one with a value in DER.
func extension(id string, critical bool, value ...byte) pkix.Extension {
	return pkix.Extension{Id: object(id), Critical: critical, Value: value}
}

// replace exchanges an attribute's value.
func replace(template *x509.Certificate, id string, value any) {
	for i, a := range template.Subject.ExtraNames {
		if a.Type.String() == id {
			template.Subject.ExtraNames[i].Value = value
		}
	}
}

func drop(template *x509.Certificate, ids ...string) {
	template.Subject.ExtraNames = slices.DeleteFunc(template.Subject.ExtraNames, func(a pkix.AttributeTypeAndValue) bool {
		return slices.Contains(ids, a.Type.String())
	})
}

func add(template *x509.Certificate, id string, value any) {
	template.Subject.ExtraNames = append(template.Subject.ExtraNames, attribute(id, value))
}

// alternative replaces the subject alternative name: type of an otherName ("" for an
// rfc822Name), text, and so on.
func alternative(template *x509.Certificate, names ...string) {
	var body []byte
	for i := 0; i < len(names); i += 2 {
		if names[i] == "" {
			body = append(body, tlv(0x81, []byte(names[i+1]))...)
			continue
		}
		id, _ := asn1.Marshal(object(names[i]))
		body = append(body, tlv(0xa0, append(id, tlv(0xa0, tlv(0x0c, []byte(names[i+1])))...))...)
	}
	template.ExtraExtensions = append(template.ExtraExtensions, extension("2.5.29.17", false, tlv(0x30, body)...))
}

// The identifiers of emailAddress and of S/MIME capabilities.
const idEmail, idCapabilities = "1.2.840.113549.1.9.1", "1.2.840.113549.1.9.15"

// directory adds a directoryName to the subject alternative name.
func directory(t testing.TB, template *x509.Certificate, attributes ...pkix.AttributeTypeAndValue) {
	t.Helper()
	name, err := asn1.Marshal(pkix.Name{ExtraNames: attributes}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	body := append(tlv(0x81, []byte("kim@example.com")), tlv(0xa4, name)...)
	template.ExtraExtensions = append(template.ExtraExtensions, extension("2.5.29.17", false, tlv(0x30, body)...))
}

// qualified gives the policy of a template a qualifier: 1 is a practice statement, 2 a notice.
func qualified(template *x509.Certificate, kind byte, value []byte) {
	qualifier := tlv(0x30, append([]byte{6, 8, 0x2b, 6, 1, 5, 5, 7, 2, kind}, value...))
	policy := tlv(0x30, append([]byte{6, 7, 0x67, 0x81, 0x0c, 1, 5, 3, 3}, tlv(0x30, qualifier)...))
	template.Policies, template.ExtraExtensions = nil, append(template.ExtraExtensions, extension("2.5.29.32", false, tlv(0x30, policy)...))
}

// statement adds one of ETSI's QC statements.
func statement(template *x509.Certificate, kind byte, info []byte) {
	body := tlv(0x30, append([]byte{6, 6, 4, 0, 0x8e, 0x46, 1, kind}, info...))
	template.ExtraExtensions = append(template.ExtraExtensions, extension("1.3.6.1.5.5.7.1.3", false, tlv(0x30, body)...))
}

func tlv(tag byte, body []byte) []byte {
	if len(body) < 0x80 {
		return append([]byte{tag, byte(len(body))}, body...)
	}
	return append([]byte{tag, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
}

// notice is the policy of good with a user notice of that content.
func notice(content []byte) pkix.Extension {
	policy, _ := asn1.Marshal(object("2.23.140.1.5.3.3"))
	kind, _ := asn1.Marshal(object("1.3.6.1.5.5.7.2.2"))
	qualifier := tlv(0x30, append(kind, tlv(0x30, content)...))
	return extension("2.5.29.32", false, tlv(0x30, tlv(0x30, append(policy, tlv(0x30, qualifier)...)))...)
}

const mailbox = "1.3.6.1.5.5.7.8.9"

// legacyPerson makes a template one of an individual in the legacy generation, before that
// ended, with an empty name.
func legacyPerson(t testing.TB, c *x509.Certificate) {
	t.Helper()
	c.Policies, c.Subject.ExtraNames = []x509.OID{policy(t, 4, 1)}, nil
	c.NotBefore, c.NotAfter = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
}

func mustOID(t testing.TB, text string) x509.OID {
	t.Helper()
	id, err := x509.ParseOID(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
