package smime_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/smime"
)

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
