package certpath_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
)

// line is a path of four certificates that are about to be issued.
type line struct {
	root, outer, issuing, leaf             *x509.Certificate // templates
	rootKey, outerKey, issuingKey, leafKey crypto.Signer
	also                                   func(root, outer, issuing *certtest.Holder) []*x509.Certificate // further ones of the pool
	instead                                func(s *situation)                                              // the last change
}

func newLine(t testing.TB) *line {
	key := func() crypto.Signer { return certtest.NewKey(t, elliptic.P256()) }
	return &line{
		root: certtest.NewRoot(t, "Root"), outer: certtest.NewIntermediate(t, "Outer"), issuing: certtest.NewIntermediate(t, "Issuing"), leaf: certtest.NewLeaf(t),
		rootKey: key(), outerKey: key(), issuingKey: key(), leafKey: key(),
	}
}

func (l *line) situation(t testing.TB) situation {
	t.Helper()
	root := certtest.Issue(t, l.root, l.rootKey, nil)
	outer := certtest.Issue(t, l.outer, l.outerKey, root)
	issuing := certtest.Issue(t, l.issuing, l.issuingKey, outer)
	der, err := x509.CreateCertificate(rand.Reader, l.leaf, issuing.Cert, l.leafKey.Public(), issuing.Key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := certificate.ParseDER(der)
	if err != nil {
		t.Fatal(err)
	}
	s := situation{leaf, certtest.Certs(issuing, outer), certtest.Certs(root), now()}
	if l.also != nil {
		s.pool = append(s.pool, l.also(root, outer, issuing)...)
	}
	if l.instead != nil {
		l.instead(&s)
	}
	return s
}

// The extensions of RFC 5280 that crypto/x509 does not make, or not so.
func extension(t testing.TB, number int, critical bool, value any) pkix.Extension {
	t.Helper()
	der, err := asn1.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, number}, Critical: critical, Value: der}
}

type policyMapping struct{ Issuer, Subject asn1.ObjectIdentifier }

type policyConstraints struct {
	RequireExplicit int `asn1:"optional,tag:0,default:-1"`
	InhibitMapping  int `asn1:"optional,tag:1,default:-1"`
}

type subtree struct{ Base asn1.RawValue }

type subtrees struct {
	Permitted []subtree `asn1:"optional,tag:0,omitempty"`
	Excluded  []subtree `asn1:"optional,tag:1,omitempty"`
}

func directory(t testing.TB, attributes ...string) subtree {
	t.Helper()
	der, err := asn1.Marshal(distinguished(asn1.TagPrintableString, attributes...))
	if err != nil {
		t.Fatal(err)
	}
	return subtree{asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: der}}
}

func mail(text string) subtree {
	return subtree{asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, Bytes: []byte(text)}}
}

func constrain(t testing.TB, template *x509.Certificate, permitted, excluded []subtree) {
	t.Helper()
	template.ExtraExtensions = append(template.ExtraExtensions, extension(t, 30, true, subtrees{permitted, excluded}))
}

type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

type attributeSET []attribute

// distinguished is a name of country, organization, unit and common name, as many as
// there are, whose strings are of one kind.
func distinguished(tag int, values ...string) []attributeSET {
	var name []attributeSET
	for i, value := range values {
		octets := []byte(value)
		if tag == asn1.TagBMPString {
			octets = nil
			for _, r := range value {
				octets = append(octets, byte(r>>8), byte(r))
			}
		}
		name = append(name, attributeSET{{asn1.ObjectIdentifier{2, 5, 4, []int{6, 10, 11, 3}[i]}, asn1.RawValue{Tag: tag, Bytes: octets}}})
	}
	return name
}

func named(t testing.TB, tag int, values ...string) []byte {
	t.Helper()
	der, err := asn1.Marshal(distinguished(tag, values...))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func policy(t testing.TB, last uint64) x509.OID {
	t.Helper()
	id, err := x509.OIDFromInts([]uint64{1, 3, 6, 1, 4, 1, 99999, last})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func every(t testing.TB) x509.OID {
	t.Helper()
	id, err := x509.OIDFromInts([]uint64{2, 5, 29, 32, 0})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func mapping(from, to int) policyMapping {
	arcs := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999}
	return policyMapping{append(arcs[:7:7], from), append(arcs[:7:7], to)}
}

// withPolicies gives all but the root a policy.
func (l *line) withPolicies(ids ...x509.OID) {
	l.outer.Policies, l.issuing.Policies, l.leaf.Policies = ids, ids, ids
}

// sign makes a certificate anew with other octets in what is signed, of the same length,
// and lets a function make the signature.
func sign(t testing.TB, cert *x509.Certificate, from, to []byte, signature func(tbs []byte) []byte) *x509.Certificate {
	t.Helper()
	var parts struct{ TBS, Algorithm, Signature asn1.RawValue }
	if _, err := asn1.Unmarshal(cert.Raw, &parts); err != nil {
		t.Fatal(err)
	}
	tbs, algorithm := parts.TBS.FullBytes, parts.Algorithm.FullBytes
	if len(from) > 0 {
		tbs, algorithm = bytes.ReplaceAll(tbs, from, to), bytes.ReplaceAll(algorithm, from, to)
	}
	der, err := asn1.Marshal(struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, asn1.RawValue{FullBytes: algorithm}, asn1.BitString{Bytes: signature(tbs), BitLength: 8 * len(signature(tbs))}})
	if err != nil {
		t.Fatal(err)
	}
	return certtest.Parse(t, der)
}

var (
	oidSHA256WithRSA   = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11}
	oidMD5WithRSA      = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4}
	oidECDSAWithSHA256 = []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2}
	oidNobodys         = []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 0x7f}
)

func newRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func md5With(t testing.TB, key *rsa.PrivateKey) func([]byte) []byte {
	return func(tbs []byte) []byte {
		hash := crypto.MD5.New()
		hash.Write(tbs)
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.MD5, hash.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
}

// selfIssued makes a certificate of a name by another key of that name.
func selfIssued(t testing.TB, template *x509.Certificate, key crypto.Signer, by *certtest.Holder) *certtest.Holder {
	again := *template
	again.SerialNumber, again.AuthorityKeyId = certtest.NewRoot(t, "").SerialNumber, by.Cert.SubjectKeyId
	return certtest.Issue(t, &again, key, by)
}

func mustIssue(template *x509.Certificate, key crypto.Signer, issuer *certtest.Holder) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.Cert, key.Public(), issuer.Key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cert
}

// smtpUTF8 is an alternative name as RFC 9598 section 3 has it.
func smtpUTF8(t testing.TB, address string) pkix.Extension {
	t.Helper()
	type otherName struct {
		Kind  asn1.ObjectIdentifier
		Value string `asn1:"explicit,tag:0,utf8"`
	}
	der, err := asn1.MarshalWithParams(otherName{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 9}, address}, "tag:0")
	if err != nil {
		t.Fatal(err)
	}
	return extension(t, 17, false, []asn1.RawValue{{FullBytes: der}})
}
