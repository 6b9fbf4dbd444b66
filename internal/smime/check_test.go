package smime_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"maps"
	"math/big"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/smime"
)

func printableText(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// variant is a chain that deviates from the good one.
type variant struct {
	root, intermediate, leaf          *x509.Certificate // templates
	rootKey, intermediateKey, leafKey crypto.Signer
	rearrange                         func([]*x509.Certificate) []*x509.Certificate
	options                           smime.CheckOptions
}

func newVariant(t *testing.T) *variant {
	v := &variant{
		root: certtest.NewRoot(t, "Root"), intermediate: newIntermediate(t, "Issuing"), leaf: newLeaf(t),
		rootKey: certtest.NewKey(t, elliptic.P384()), intermediateKey: certtest.NewKey(t, elliptic.P384()), leafKey: certtest.NewKey(t, elliptic.P256()),
	}
	v.options = smime.CheckOptions{Email: email, Use: certificate.UseBoth, Now: now(), PublicKey: v.leafKey.Public()}
	return v
}

func (v *variant) chain(t *testing.T) []*x509.Certificate {
	t.Helper()
	root := certtest.Issue(t, v.root, v.rootKey, nil)
	intermediate := certtest.Issue(t, v.intermediate, v.intermediateKey, root)
	chain := certtest.Certs(certtest.Issue(t, v.leaf, v.leafKey, intermediate), intermediate, root)
	if v.rearrange != nil {
		chain = v.rearrange(chain)
	}
	return chain
}

// withKey exchanges the leaf's key and what is expected of it.
func (v *variant) withKey(key crypto.Signer) {
	v.leafKey, v.options.PublicKey = key, key.Public()
}

// version1 signs a certificate anew, by a P-384 key, without version and
// extensions.
func version1(t *testing.T, cert *x509.Certificate, issuer crypto.Signer) *x509.Certificate {
	t.Helper()
	var tbs, field asn1.RawValue
	if _, err := asn1.Unmarshal(cert.RawTBSCertificate, &tbs); err != nil {
		t.Fatal(err)
	}
	var fields []byte
	for rest := tbs.Bytes; len(rest) > 0; {
		var err error
		if rest, err = asn1.Unmarshal(rest, &field); err != nil {
			t.Fatal(err)
		}
		if field.Class != asn1.ClassContextSpecific { // [0] version, [3] extensions
			fields = append(fields, field.FullBytes...)
		}
	}
	body := tlv(0x30, fields)
	digest := sha512.Sum384(body)
	signature, err := issuer.Sign(rand.Reader, digest[:], crypto.SHA384)
	if err != nil {
		t.Fatal(err)
	}
	algorithm := tlv(0x30, object(t, 1, 2, 840, 10045, 4, 3, 3)) // ecdsa-with-SHA384
	return certtest.Parse(t, tlv(0x30, body, algorithm, tlv(0x03, []byte{0}, signature)))
}

func ruleIDs(findings []smime.Finding) []string {
	var ids []string
	for _, f := range findings {
		ids = append(ids, f.ID)
	}
	return slices.Compact(ids) // they come in the order of the rules
}

func TestCheckGood(t *testing.T) {
	for _, use := range []certificate.Use{"", certificate.UseSign, certificate.UseEncrypt, certificate.UseBoth} {
		for _, key := range []crypto.Signer{certtest.NewKey(t, elliptic.P256()), certtest.NewKey(t, elliptic.P384()), newRSA(t, 2048)} {
			v := newVariant(t)
			v.withKey(key)
			v.options.Use = use
			v.leaf.KeyUsage |= x509.KeyUsageKeyEncipherment
			if findings := smime.Check(new(certpath.Verifier), v.chain(t), v.options); len(findings) != 0 {
				t.Errorf("use %q, %T: %+v", use, key, findings)
			}
		}
	}
	// What does no harm: policies with arcs of any length, an ldap address beside an
	// http one, a Netscape type that agrees, a user principal name.
	v := newVariant(t)
	large, err := x509.ParseOID("2.25.329800735698586629295641978511506172918")
	if err != nil {
		t.Fatal(err)
	}
	v.leaf.Policies = []x509.OID{large}
	v.leaf.IssuingCertificateURL = []string{"ldap:///cn=ca", "http://certs.example.com/ca.cer"}
	v.leaf.OCSPServer = []string{"https://ocsp.example.com/", "http://ocsp.example.com/"}
	v.intermediate.ExtraExtensions = netscape(0x02)
	v.leaf.ExtraExtensions = append(netscape(0x20), alternativeNames(t, tlv(0x81, []byte(email)), otherName(t, "kim@corp.local", 1, 3, 6, 1, 4, 1, 311, 20, 2, 3)))
	if findings := smime.Check(new(certpath.Verifier), v.chain(t), v.options); len(findings) != 0 {
		t.Errorf("harmless: %+v", findings)
	}
	// Nobody relies on the signature that a root made on itself.
	v = newVariant(t)
	v.rootKey, v.root.SignatureAlgorithm = newRSA(t, 2048), x509.SHA1WithRSA
	if findings := smime.Check(new(certpath.Verifier), v.chain(t), v.options); len(findings) != 0 {
		t.Errorf("a root with SHA-1: %+v", findings)
	}
	// A leaf of exactly 27 months, and options that ask for nothing.
	v = newVariant(t)
	v.leaf.NotAfter = v.leaf.NotBefore.AddDate(0, 27, 0)
	if findings := smime.Check(new(certpath.Verifier), v.chain(t), smime.CheckOptions{Now: now()}); len(findings) != 0 {
		t.Errorf("nothing asked: %+v", findings)
	}
}

type violation struct {
	rule        string
	certificate string // the role of the certificate that the finding is about
	also        []string
	name        string
	change      func(*testing.T, *variant)
}

// violations break one rule each. Where a fault cannot but break another rule,
// also says which.
func violations() []violation {
	const leaf, issuing, root = "leaf", "intermediate 1", "root"
	anySuffix := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}
	return []violation{
		{"chain-empty", "", nil, "", func(_ *testing.T, v *variant) {
			v.rearrange = func([]*x509.Certificate) []*x509.Certificate { return nil }
		}},
		{"chain-no-leaf", leaf, []string{"chain-no-intermediate"}, "", func(_ *testing.T, v *variant) {
			v.intermediate.EmailAddresses = []string{email}
			v.withKey(v.intermediateKey)
			v.rearrange = func(c []*x509.Certificate) []*x509.Certificate { return c[1:] }
		}},
		{"leaf-self-signed", leaf, nil, "", func(t *testing.T, v *variant) {
			v.rearrange = func([]*x509.Certificate) []*x509.Certificate {
				return certtest.Certs(certtest.Issue(t, v.leaf, v.leafKey, nil))
			}
		}},
		{"chain-issuer", leaf, nil, "another intermediate", func(t *testing.T, v *variant) {
			v.rearrange = func(c []*x509.Certificate) []*x509.Certificate {
				other := certtest.Issue(t, newIntermediate(t, "Other"), certtest.NewKey(t, elliptic.P256()), &certtest.Holder{Cert: v.root, Key: v.rootKey})
				return []*x509.Certificate{c[0], other.Cert, c[2]}
			}
		}},
		{"chain-signature", leaf, nil, "an issuer of the same name", func(t *testing.T, v *variant) {
			v.rearrange = func(c []*x509.Certificate) []*x509.Certificate {
				other := certtest.Issue(t, newIntermediate(t, "Issuing"), certtest.NewKey(t, elliptic.P384()), &certtest.Holder{Cert: v.root, Key: v.rootKey})
				return []*x509.Certificate{c[0], other.Cert, c[2]}
			}
		}},
		{"chain-algorithm", issuing, []string{"intermediate-signature-algorithm"}, "SHA-1", func(t *testing.T, v *variant) {
			v.rootKey = newRSA(t, 2048)
			v.intermediate.SignatureAlgorithm = x509.SHA1WithRSA
		}},
		{"chain-no-root", issuing, nil, "", func(_ *testing.T, v *variant) {
			v.rearrange = func(c []*x509.Certificate) []*x509.Certificate { return c[:2] }
		}},
		{"chain-after-root", root, nil, "", func(t *testing.T, v *variant) {
			v.rearrange = func(c []*x509.Certificate) []*x509.Certificate {
				return append(c, certtest.Issue(t, certtest.NewRoot(t, "Stranger"), certtest.NewKey(t, elliptic.P256()), nil).Cert)
			}
		}},
		{"chain-expired", leaf, nil, "leaf", func(_ *testing.T, v *variant) { v.leaf.NotAfter = now().Add(-time.Second) }},
		{"chain-expired", root, nil, "root", func(_ *testing.T, v *variant) { v.root.NotAfter = now().Add(-time.Second) }},
		{"chain-not-yet-valid", leaf, nil, "leaf", func(_ *testing.T, v *variant) { v.leaf.NotBefore = now().Add(time.Second) }},
		{"chain-not-yet-valid", issuing, nil, "intermediate", func(_ *testing.T, v *variant) { v.intermediate.NotBefore = now().Add(time.Second) }},
		{"chain-not-ca", issuing, []string{"intermediate-path-length"}, "basic constraints", func(_ *testing.T, v *variant) {
			v.intermediate.IsCA, v.intermediate.MaxPathLenZero = false, false
		}},
		{"chain-not-ca", issuing, nil, "key usage", func(_ *testing.T, v *variant) { v.intermediate.KeyUsage = x509.KeyUsageCRLSign }},
		{"chain-path-length", root, nil, "", func(_ *testing.T, v *variant) { v.root.MaxPathLenZero = true }},
		{"chain-constraints", leaf, nil, "critical extension", func(_ *testing.T, v *variant) {
			v.leaf.ExtraExtensions = []pkix.Extension{{Id: anySuffix, Critical: true, Value: []byte{5, 0}}}
		}},
		{"chain-constraints", leaf, nil, "name constraints", func(_ *testing.T, v *variant) {
			v.intermediate.PermittedEmailAddresses = []string{"example.org"}
		}},
		{"chain-constraints", leaf, nil, "another policy than is required", func(t *testing.T, v *variant) {
			v.intermediate.Policies = []x509.OID{oid(t, 1, 3, 6, 1, 4, 1, 99999, 7)}
			v.intermediate.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 36}, Critical: true, Value: []byte{0x30, 3, 0x80, 1, 0}}}
		}},
		{"chain-extended-key-usage", leaf, nil, "leaf", func(_ *testing.T, v *variant) {
			v.leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}},
		{"chain-extended-key-usage", leaf, []string{"leaf-extended-key-usage-forbidden"}, "leaf for servers", func(_ *testing.T, v *variant) {
			v.leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}},
		{"chain-extended-key-usage", issuing, nil, "intermediate", func(_ *testing.T, v *variant) {
			v.intermediate.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}},
		{"leaf-key-type", leaf, nil, "Ed25519", func(t *testing.T, v *variant) { v.withKey(newEd25519(t)) }},
		{"leaf-key-type", leaf, nil, "Ed25519, which cannot encrypt either", func(t *testing.T, v *variant) {
			v.withKey(newEd25519(t))
			v.leaf.KeyUsage = x509.KeyUsageDigitalSignature
		}},
		{"leaf-key-type", leaf, nil, "P-521", func(t *testing.T, v *variant) { v.withKey(certtest.NewKey(t, elliptic.P521())) }},
		{"leaf-key-type", leaf, nil, "RSA 1024", func(t *testing.T, v *variant) {
			v.withKey(newRSA(t, 1024))
			v.leaf.KeyUsage |= x509.KeyUsageKeyEncipherment
		}},
		{"leaf-address", leaf, nil, "another", func(_ *testing.T, v *variant) { v.leaf.EmailAddresses = []string{"lee@example.com"} }},
		{"leaf-address", leaf, []string{"leaf-san"}, "none", func(_ *testing.T, v *variant) { v.leaf.EmailAddresses = nil }},
		{"leaf-address", leaf, []string{"leaf-san"}, "none, whoever it is for", func(_ *testing.T, v *variant) { v.leaf.EmailAddresses, v.options.Email = nil, "" }},
		{"leaf-address", leaf, nil, "one that is none", func(_ *testing.T, v *variant) {
			v.leaf.EmailAddresses, v.options.Email = []string{"example.com", "kim lee@example.com"}, ""
		}},
		{"leaf-address", leaf, []string{"leaf-san"}, "a user principal name alone", func(t *testing.T, v *variant) {
			v.leaf.EmailAddresses, v.options.Email = nil, ""
			v.leaf.ExtraExtensions = []pkix.Extension{alternativeNames(t, otherName(t, email, 1, 3, 6, 1, 4, 1, 311, 20, 2, 3))}
		}},
		{"leaf-key-mismatch", leaf, nil, "", func(t *testing.T, v *variant) { v.options.PublicKey = certtest.NewKey(t, elliptic.P256()).Public() }},
		{"chain-no-intermediate", leaf, nil, "", func(t *testing.T, v *variant) {
			v.rearrange = func(c []*x509.Certificate) []*x509.Certificate {
				return []*x509.Certificate{certtest.Issue(t, v.leaf, v.leafKey, &certtest.Holder{Cert: v.root, Key: v.rootKey}).Cert, c[2]}
			}
		}},
		{"root-key-type", root, nil, "", func(t *testing.T, v *variant) { v.rootKey = certtest.NewKey(t, elliptic.P521()) }},
		{"intermediate-version", issuing,
			[]string{"chain-not-ca", "intermediate-key-usage", "intermediate-path-length", "intermediate-crl", "intermediate-extended-key-usage"}, "",
			func(t *testing.T, v *variant) {
				v.rearrange = func(c []*x509.Certificate) []*x509.Certificate {
					return []*x509.Certificate{c[0], version1(t, c[1], v.rootKey), c[2]}
				}
			}},
		{"intermediate-serial", issuing, nil, "zero", func(_ *testing.T, v *variant) { v.intermediate.SerialNumber = new(big.Int) }},
		{"intermediate-serial", issuing, nil, "21 octets", func(_ *testing.T, v *variant) {
			v.intermediate.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 159)
		}},
		{"intermediate-signature-algorithm", issuing, nil, "PSS", func(t *testing.T, v *variant) {
			v.rootKey = newRSA(t, 2048)
			v.intermediate.SignatureAlgorithm = x509.SHA256WithRSAPSS
		}},
		{"intermediate-key-type", issuing, nil, "", func(t *testing.T, v *variant) { v.intermediateKey = certtest.NewKey(t, elliptic.P521()) }},
		{"intermediate-key-usage", issuing, nil, "none", func(_ *testing.T, v *variant) { v.intermediate.KeyUsage = 0 }},
		{"intermediate-key-usage", issuing, nil, "not critical", func(t *testing.T, v *variant) {
			v.intermediate.ExtraExtensions = []pkix.Extension{keyUsage(t, 0x06, 7)}
		}},
		{"intermediate-basic-constraints", issuing, nil, "", func(_ *testing.T, v *variant) {
			v.intermediate.ExtraExtensions = []pkix.Extension{{
				Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Value: []byte{0x30, 6, 1, 1, 0xff, 2, 1, 0},
			}}
		}},
		{"intermediate-path-length", issuing, nil, "none", func(_ *testing.T, v *variant) { v.intermediate.MaxPathLenZero = false }},
		{"intermediate-path-length", issuing, nil, "not 0", func(_ *testing.T, v *variant) { v.intermediate.MaxPathLen = 1 }},
		{"intermediate-crl", issuing, nil, "none", func(_ *testing.T, v *variant) { v.intermediate.CRLDistributionPoints = nil }},
		{"intermediate-crl", issuing, nil, "ldap", func(_ *testing.T, v *variant) {
			v.intermediate.CRLDistributionPoints = []string{"ldap://ldap.example.com/cn=ca"}
		}},
		{"intermediate-crl-public", issuing, nil, "", func(_ *testing.T, v *variant) {
			v.intermediate.CRLDistributionPoints = []string{"http://ca.corp/ca.crl"}
		}},
		{"intermediate-extended-key-usage", issuing, nil, "none", func(_ *testing.T, v *variant) { v.intermediate.ExtKeyUsage = nil }},
		{"leaf-validity", leaf, nil, "", func(_ *testing.T, v *variant) {
			v.leaf.NotAfter = v.leaf.NotBefore.AddDate(0, 0, 825) // its last second included, a second too long
		}},
		{"leaf-validity-27-months", leaf, nil, "a day more", func(_ *testing.T, v *variant) { v.leaf.NotAfter = v.leaf.NotBefore.AddDate(0, 27, 1) }},
		{"leaf-validity-27-months", leaf, nil, "825 days", func(_ *testing.T, v *variant) {
			v.leaf.NotAfter = v.leaf.NotBefore.AddDate(0, 0, 825).Add(-time.Second)
		}},
		{"leaf-serial", leaf, nil, "short", func(_ *testing.T, v *variant) { v.leaf.SerialNumber = big.NewInt(4711) }},
		{"leaf-serial", leaf, nil, "21 octets", func(_ *testing.T, v *variant) { v.leaf.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 159) }},
		{"leaf-signature-algorithm", leaf, nil, "PSS", func(t *testing.T, v *variant) {
			v.intermediateKey = newRSA(t, 2048)
			v.leaf.SignatureAlgorithm = x509.SHA256WithRSAPSS
		}},
		{"leaf-key-usage", leaf, nil, "none", func(_ *testing.T, v *variant) { v.leaf.KeyUsage = 0 }},
		{"leaf-key-usage", leaf, nil, "no signing", func(_ *testing.T, v *variant) { v.leaf.KeyUsage = x509.KeyUsageKeyAgreement }},
		{"leaf-key-usage-critical", leaf, nil, "", func(t *testing.T, v *variant) {
			v.leaf.ExtraExtensions = []pkix.Extension{keyUsage(t, 0x88, 5)}
		}},
		{"leaf-encryption-only", leaf, nil, "", func(_ *testing.T, v *variant) {
			v.leaf.KeyUsage, v.options.Use = x509.KeyUsageKeyAgreement, certificate.UseEncrypt
		}},
		{"leaf-cannot-encrypt", leaf, nil, "EC", func(_ *testing.T, v *variant) {
			v.leaf.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
		}},
		{"leaf-cannot-encrypt", leaf, nil, "RSA", func(t *testing.T, v *variant) { v.withKey(newRSA(t, 2048)) }},
		{"leaf-extended-key-usage", leaf, nil, "none", func(_ *testing.T, v *variant) { v.leaf.ExtKeyUsage = nil }},
		{"leaf-extended-key-usage-forbidden", leaf, nil, "server", func(_ *testing.T, v *variant) {
			v.leaf.ExtKeyUsage = append(v.leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
		}},
		{"leaf-extended-key-usage-forbidden", leaf, nil, "any", func(_ *testing.T, v *variant) {
			v.leaf.ExtKeyUsage = append(v.leaf.ExtKeyUsage, x509.ExtKeyUsageAny)
		}},
		{"leaf-san", leaf, []string{"leaf-subject-email"}, "address in the subject only", func(_ *testing.T, v *variant) {
			v.leaf.EmailAddresses, v.leaf.Subject.CommonName = nil, email
		}},
		{"leaf-san-forbidden", leaf, nil, "dNSName", func(_ *testing.T, v *variant) { v.leaf.DNSNames = []string{"example.com"} }},
		{"leaf-san-forbidden", leaf, nil, "iPAddress", func(_ *testing.T, v *variant) { v.leaf.IPAddresses = []net.IP{{192, 0, 2, 1}} }},
		{"leaf-san-forbidden", leaf, nil, "URI", func(_ *testing.T, v *variant) {
			v.leaf.URIs = []*url.URL{{Scheme: "http", Host: "example.com"}}
		}},
		{"leaf-subject-email", leaf, nil, "", func(_ *testing.T, v *variant) { v.leaf.Subject.CommonName = "lee@example.com" }},
		{"leaf-subject-email", leaf, nil, "in a surname", func(_ *testing.T, v *variant) {
			v.leaf.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 4}, Value: "lee@example.org"}}
		}},
		{"leaf-san", leaf, nil, "SmtpUTF8Mailbox only", func(t *testing.T, v *variant) {
			v.leaf.EmailAddresses, v.leaf.Subject.CommonName = nil, email
			v.leaf.ExtraExtensions = []pkix.Extension{alternativeNames(t, otherName(t, email, 1, 3, 6, 1, 5, 5, 7, 8, 9))}
		}},
		{"leaf-policies", leaf, nil, "none", func(_ *testing.T, v *variant) { v.leaf.Policies = nil }},
		{"leaf-policies", leaf, nil, "anyPolicy", func(t *testing.T, v *variant) { v.leaf.Policies = []x509.OID{oid(t, 2, 5, 29, 32, 0)} }},
		{"leaf-crl", leaf, nil, "none", func(_ *testing.T, v *variant) { v.leaf.CRLDistributionPoints = nil }},
		{"leaf-crl", leaf, nil, "https", func(_ *testing.T, v *variant) { v.leaf.CRLDistributionPoints = []string{"https://crl.example.com/"} }},
		{"leaf-crl-public", leaf, nil, "loopback", func(_ *testing.T, v *variant) {
			v.leaf.CRLDistributionPoints = []string{"http://127.0.0.1:8080/ca.crl", "http://[::1]/ca.crl", "http://10.1.2.3/", "http://ca/", "http://CA.Lan./"}
		}},
		{"leaf-aia", leaf, nil, "OCSP", func(_ *testing.T, v *variant) { v.leaf.OCSPServer = []string{"https://ocsp.example.com/"} }},
		{"leaf-aia", leaf, nil, "issuer", func(_ *testing.T, v *variant) { v.leaf.IssuingCertificateURL = []string{"ldap://example.com/cn=ca"} }},
		{"leaf-aia", leaf, nil, "none", func(_ *testing.T, v *variant) { v.leaf.OCSPServer, v.leaf.IssuingCertificateURL = nil, nil }},
		{"leaf-aia", leaf, nil, "OCSP only", func(_ *testing.T, v *variant) { v.leaf.IssuingCertificateURL = nil }},
		{"leaf-aia-public", leaf, nil, "issuer", func(_ *testing.T, v *variant) { v.leaf.IssuingCertificateURL = []string{"http://pki.corp/ca.cer"} }},
		{"leaf-aia-public", leaf, nil, "OCSP", func(_ *testing.T, v *variant) { v.leaf.OCSPServer = []string{"http://10.0.0.1/"} }},
		{"leaf-netscape-type", leaf, nil, "an authority", func(_ *testing.T, v *variant) { v.leaf.ExtraExtensions = netscape(0x01 | 0x20) }},
		{"leaf-netscape-type", leaf, nil, "no mail", func(_ *testing.T, v *variant) { v.leaf.ExtraExtensions = netscape(0x80) }},
		{"leaf-netscape-type", leaf, nil, "a server", func(_ *testing.T, v *variant) { v.leaf.ExtraExtensions = netscape(0x20 | 0x40) }},
		{"leaf-netscape-type", leaf, nil, "code", func(_ *testing.T, v *variant) {
			v.leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
			v.leaf.ExtraExtensions = netscape(0x20 | 0x10)
		}},
		{"intermediate-netscape-type", issuing, nil, "no authority", func(_ *testing.T, v *variant) { v.intermediate.ExtraExtensions = netscape(0x20) }},
		{"intermediate-netscape-type", issuing, nil, "for servers", func(_ *testing.T, v *variant) { v.intermediate.ExtraExtensions = netscape(0x04) }},
		{"leaf-expires-soon", leaf, nil, "", func(_ *testing.T, v *variant) { v.leaf.NotAfter = now().AddDate(0, 0, 29) }},
		{"leaf-address-case", leaf, nil, "", func(_ *testing.T, v *variant) { v.leaf.EmailAddresses = []string{"Kim@Example.com"} }},
	}
}

// TestCheckRules: each rule's violation is found, under its identifier and
// severity, on the right certificate, and nothing else is.
func TestCheckRules(t *testing.T) {
	rules := map[string]smime.Rule{}
	for _, rule := range smime.Rules() {
		if _, twice := rules[rule.ID]; twice || rule.Title == "" || rule.Why == "" || rule.Ask == "" || rule.Source == "" {
			t.Errorf("rule %q is listed twice, or does not say what it asks for, why, what to ask for, or from where", rule.ID)
		}
		rules[rule.ID] = rule
	}
	// The first goes with each rule of Google's profile, the other is in TestWeakKey.
	tested := map[string]bool{"chain-relaxed-profile": true, "leaf-key-weak": true}
	for _, c := range slices.Concat(violations(), statusViolations()) {
		tested[c.rule] = true
		t.Run(c.rule+" "+c.name, func(t *testing.T) {
			v := newVariant(t)
			c.change(t, v)
			findings := smime.Check(new(certpath.Verifier), v.chain(t), v.options)
			want := append([]string{c.rule}, c.also...)
			if slices.ContainsFunc(want, func(id string) bool {
				return rules[id].Profile == smime.ProfilePublic && rules[id].Severity == smime.SeverityWarning
			}) {
				want = append(want, "chain-relaxed-profile")
			}
			got := ruleIDs(findings)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("found %q, want %q: %+v", got, want, findings)
			}
			hasErrors := false
			for _, f := range findings {
				hasErrors = hasErrors || rules[f.ID].Severity == smime.SeverityError
				if f.Severity != rules[f.ID].Severity || f.Message == "" || f.ID == c.rule && f.Certificate != c.certificate {
					t.Errorf("finding %+v, want severity %s on %q", f, rules[f.ID].Severity, c.certificate)
				}
			}
			if smime.HasErrors(findings) != hasErrors {
				t.Errorf("HasErrors says %t", !hasErrors)
			}
		})
	}
	for id := range rules {
		if !tested[id] {
			t.Errorf("no violation of rule %s is tested", id)
		}
	}
}

// TestPrivateProfile: judged by what the API needs, a chain that breaks Google's
// profile has one finding, which names the broken rules; errors stay.
func TestPrivateProfile(t *testing.T) {
	v := newVariant(t)
	v.leaf.Policies, v.leaf.ExtKeyUsage = nil, append(v.leaf.ExtKeyUsage, x509.ExtKeyUsageAny, x509.ExtKeyUsageServerAuth)
	v.intermediate.MaxPathLenZero = false // a note
	v.options.Profile = smime.ProfilePrivate
	chain := v.chain(t)
	findings := smime.Check(new(certpath.Verifier), chain, v.options)
	if len(findings) != 1 || findings[0].ID != "chain-relaxed-profile" || findings[0].Severity != smime.SeverityWarning ||
		!strings.HasSuffix(findings[0].Message, "it breaks leaf-extended-key-usage-forbidden, leaf-policies") {
		t.Errorf("%+v", findings)
	}
	v.options.Email = "lee@example.com"
	if got := ruleIDs(smime.Check(new(certpath.Verifier), chain, v.options)); !slices.Equal(got, []string{"leaf-address", "chain-relaxed-profile"}) {
		t.Errorf("%q", got)
	}
	v = newVariant(t)
	v.options.Profile = smime.ProfilePrivate
	if findings := smime.Check(new(certpath.Verifier), v.chain(t), v.options); len(findings) != 0 {
		t.Errorf("%+v", findings)
	}
}

// TestWeakKey: a modulus whose primes come from the faulty library is known by it, and
// one in a million others at most; exponents that are none are named.
func TestWeakKey(t *testing.T) {
	for name, c := range map[string]struct {
		key  *rsa.PublicKey
		weak bool
	}{
		"good":          {newRSA(t, 2048).Public().(*rsa.PublicKey), false},
		"ROCA":          {&rsa.PublicKey{N: rocaModulus(), E: 65537}, true},
		"exponent of 1": {&rsa.PublicKey{N: newRSA(t, 2048).Public().(*rsa.PublicKey).N, E: 1}, true},
		"even exponent": {&rsa.PublicKey{N: newRSA(t, 2048).Public().(*rsa.PublicKey).N, E: 65536}, true},
	} {
		cert := *goodChain(t)[0].Cert
		cert.PublicKey = c.key
		findings := smime.Check(new(certpath.Verifier), certtest.Certs(&certtest.Holder{Cert: &cert}), smime.CheckOptions{Now: now()})
		if slices.Contains(ruleIDs(findings), "leaf-key-weak") != c.weak {
			t.Errorf("%s: %q", name, ruleIDs(findings))
		}
	}
}

// rocaModulus is a number of 2048 bits that is, modulo the product of the first primes,
// a power of 65537.
func rocaModulus() *big.Int {
	product := big.NewInt(1)
	for p := int64(2); p <= 167; p++ {
		if big.NewInt(p).ProbablyPrime(0) {
			product.Mul(product, big.NewInt(p))
		}
	}
	n := new(big.Int).Exp(big.NewInt(65537), big.NewInt(12345), product)
	high := new(big.Int).Lsh(big.NewInt(1), 2047)
	return n.Add(n, high.Sub(high, new(big.Int).Mod(high, product)).Add(high, product))
}

// TestFindingWhere: a finding names the field that it is about.
func TestFindingWhere(t *testing.T) {
	v := newVariant(t)
	v.leaf.EmailAddresses, v.leaf.Policies = []string{"lee@example.com"}, nil
	v.leaf.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4, 5}, Critical: true, Value: []byte{5, 0}}}
	where := map[string]string{}
	for _, f := range smime.Check(new(certpath.Verifier), v.chain(t), v.options) {
		where[f.ID] = f.Where
	}
	want := map[string]string{"leaf-address": "extensions.subjectAltName", "leaf-policies": "extensions.certificatePolicies", "chain-constraints": "extensions.1.2.3.4.5", "chain-relaxed-profile": ""}
	if !maps.Equal(where, want) {
		t.Errorf("%q", where)
	}
}

// TestCheckOrder: findings come in the order of the rules.
func TestCheckOrder(t *testing.T) {
	v := newVariant(t)
	v.leaf = &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now().AddDate(-9, 0, 0), NotAfter: now().AddDate(-1, 0, 0)}
	place := map[string]int{}
	for i, rule := range smime.Rules() {
		place[rule.ID] = i
	}
	findings := smime.Check(new(certpath.Verifier), v.chain(t), v.options)
	if len(findings) < 6 || !slices.IsSortedFunc(findings, func(a, b smime.Finding) int { return place[a.ID] - place[b.ID] }) {
		t.Errorf("findings %q", ruleIDs(findings))
	}
}

// TestCheckControlCharacters: what certificates and callers say cannot steer the
// terminal that shows it.
func TestCheckControlCharacters(t *testing.T) {
	const evil = "\x1b[31m\r\n\x00\x7f\u0085\u202e\u200b\u2028"
	v := newVariant(t)
	for _, template := range []*x509.Certificate{v.root, v.intermediate, v.leaf} {
		template.Subject.CommonName += evil
		template.NotBefore, template.NotAfter = now().AddDate(1, 0, 0), now().AddDate(9, 0, 0)
	}
	v.leaf.EmailAddresses = []string{"lee\x1b[2J@example.com"}
	v.leaf.OCSPServer = []string{"ldap://\x1b[2J"}
	v.leaf.CRLDistributionPoints = []string{"http://ca/\x1b"}
	v.options.Email = "kim" + evil + "@example.com"
	v.leaf.Subject.ExtraNames = []pkix.AttributeTypeAndValue{
		{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "max" + evil + "@example.com"},
	}
	v.rearrange = func(c []*x509.Certificate) []*x509.Certificate { return []*x509.Certificate{c[0], c[2], c[1]} }
	findings := smime.Check(new(certpath.Verifier), v.chain(t), v.options)
	for _, id := range []string{"chain-issuer", "chain-not-yet-valid", "leaf-address", "leaf-subject-email", "leaf-aia"} {
		if !slices.Contains(ruleIDs(findings), id) {
			t.Errorf("no finding %s in %q", id, ruleIDs(findings))
		}
	}
	for _, f := range findings {
		if !printableText(f.Message) || !printableText(f.Certificate) {
			t.Errorf("%s: %q", f.ID, f.Message)
		}
	}
}

// netscape is an nsCertType extension.
func netscape(bits byte) []pkix.Extension {
	return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 1}, Value: []byte{3, 2, 0, bits}}}
}

// alternativeNames is a subject alternative name of these general names.
func alternativeNames(t testing.TB, names ...[]byte) pkix.Extension {
	t.Helper()
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: tlv(0x30, names...)}
}

// otherName is a general name with a UTF-8 text.
func otherName(t testing.TB, text string, id ...int) []byte {
	t.Helper()
	return tlv(0xa0, object(t, id...), tlv(0xa0, tlv(0x0c, []byte(text))))
}

// keyUsage is a key usage extension that is not critical.
func keyUsage(t *testing.T, bits byte, length int) pkix.Extension {
	t.Helper()
	value, err := asn1.Marshal(asn1.BitString{Bytes: []byte{bits}, BitLength: length})
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Value: value}
}
