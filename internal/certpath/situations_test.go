package certpath_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
)

type oneSituation struct {
	name    string
	cause   certpath.Cause // "" where there is a valid path
	openssl string         // why `openssl verify` thinks otherwise
	change  func(t testing.TB, l *line)
}

// lastYear of the twentieth century's two digits, and the first that GeneralizedTime is
// needed for (RFC 5280 section 4.1.2.5).
func year(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }

// moreSituations are of the kinds that NIST's PKITS has, and of some that it has not.
func moreSituations() []oneSituation {
	const ok = certpath.Cause("")
	return []oneSituation{
		{"plain", ok, "", func(testing.TB, *line) {}},
		{"nothing but the leaf", certpath.CauseMissing, "", func(_ testing.TB, l *line) {
			l.instead = func(s *situation) { s.pool, s.roots = nil, nil }
		}},
		{"everything ten times", ok, "", func(_ testing.TB, l *line) {
			l.instead = func(s *situation) {
				for range 9 {
					s.pool = append(s.pool, s.pool[0], s.pool[1], s.roots[0], s.leaf)
				}
			}
		}},
		{"the anchor in the middle", ok, "openssl wants -partial_chain for that", func(_ testing.TB, l *line) {
			l.instead = func(s *situation) { s.roots, s.pool = s.pool[1:], s.pool[:1] }
		}},
		{"a root that is not trusted", certpath.CauseNoRoot, "", func(t testing.TB, l *line) {
			l.instead = func(s *situation) {
				s.pool = append(s.pool, s.roots...)
				s.roots = certtest.Certs(certtest.Issue(t, certtest.NewRoot(t, "Another"), certtest.NewKey(t, elliptic.P256()), nil))
			}
		}},

		// Signatures.
		{"another key of the issuer's name", certpath.CauseOtherKey, "", func(t testing.TB, l *line) {
			l.instead = func(s *situation) { s.pool[0] = newLine(t).situation(t).pool[0] }
		}},
		{"the leaf changed", certpath.CauseOtherKey, "", func(t testing.TB, l *line) {
			l.instead = func(s *situation) {
				s.leaf = sign(t, s.leaf, []byte("Kim"), []byte("Lee"), func([]byte) []byte { return s.leaf.Signature })
			}
		}},
		{"an authority changed", certpath.CauseOtherKey, "", func(t testing.TB, l *line) {
			l.instead = func(s *situation) {
				s.pool[0] = sign(t, s.pool[0], []byte("Issuing"), []byte("Issuing"), func([]byte) []byte { return s.leaf.Signature })
			}
		}},
		{"the root changed, trusted as it is", ok, "", func(t testing.TB, l *line) {
			l.instead = func(s *situation) {
				s.roots[0] = sign(t, s.roots[0], nil, nil, func([]byte) []byte { return s.leaf.Signature })
			}
		}},
		{"a line of fifteen", ok, "", func(t testing.TB, l *line) {
			last := &certtest.Holder{}
			l.also = func(_, _, issuing *certtest.Holder) []*x509.Certificate {
				var list []*x509.Certificate
				last = issuing
				for i := range 11 {
					last = certtest.Issue(t, certtest.NewIntermediate(t, fmt.Sprint("Further ", i)), certtest.NewKey(t, elliptic.P256()), last)
					list = append(list, last.Cert)
				}
				return list
			}
			l.instead = func(s *situation) { s.leaf = certtest.Issue(t, l.leaf, l.leafKey, last).Cert }
		}},
		{"SHA-1 below the root", certpath.CauseAlgorithm, "it takes SHA-1 unless given -auth_level 1", func(t testing.TB, l *line) {
			l.rootKey = newRSA(t)
			l.outer.SignatureAlgorithm = x509.SHA1WithRSA
		}},
		{"SHA-1 on the leaf", certpath.CauseAlgorithm, "it takes SHA-1 unless given -auth_level 1", func(t testing.TB, l *line) {
			l.issuingKey = newRSA(t)
			l.leaf.SignatureAlgorithm = x509.SHA1WithRSA
		}},
		{"MD5 below the root", certpath.CauseAlgorithm, "it takes MD5 unless given -auth_level 1", func(t testing.TB, l *line) {
			key := newRSA(t)
			l.outerKey = key
			l.instead = func(s *situation) {
				s.pool[0] = sign(t, s.pool[0], oidSHA256WithRSA, oidMD5WithRSA, md5With(t, key))
			}
		}},
		{"MD5 on the root itself", ok, "", func(t testing.TB, l *line) {
			key := newRSA(t)
			l.rootKey = key
			l.instead = func(s *situation) {
				s.roots[0] = sign(t, s.roots[0], oidSHA256WithRSA, oidMD5WithRSA, md5With(t, key))
			}
		}},
		{"an unknown algorithm on the root itself", ok, "it compares the algorithm with the kind of key", func(t testing.TB, l *line) {
			l.instead = func(s *situation) {
				s.roots[0] = sign(t, s.roots[0], oidECDSAWithSHA256, oidNobodys, func([]byte) []byte { return s.roots[0].Signature })
			}
		}},
		{"an unknown algorithm below it", certpath.CauseAlgorithm, "", func(t testing.TB, l *line) {
			l.instead = func(s *situation) {
				s.pool[0] = sign(t, s.pool[0], oidECDSAWithSHA256, oidNobodys, func([]byte) []byte { return s.pool[0].Signature })
			}
		}},
		{"RSA-PSS", ok, "", func(t testing.TB, l *line) {
			l.issuingKey = newRSA(t)
			l.leaf.SignatureAlgorithm = x509.SHA256WithRSAPSS
		}},
		{"P-521 and SHA-512", ok, "", func(t testing.TB, l *line) { l.issuingKey = certtest.NewKey(t, elliptic.P521()) }},

		// Validity.
		{"an expired leaf", certpath.CauseExpired, "", func(_ testing.TB, l *line) { l.leaf.NotAfter = now().Add(-time.Second) }},
		{"an expired authority", certpath.CauseExpired, "", func(_ testing.TB, l *line) { l.outer.NotAfter = now().Add(-time.Second) }},
		{"an expired root", certpath.CauseExpired, "", func(_ testing.TB, l *line) { l.root.NotAfter = now().Add(-time.Second) }},
		{"an authority of tomorrow", certpath.CauseNotYetValid, "", func(_ testing.TB, l *line) { l.issuing.NotBefore = now().Add(time.Hour) }},
		{"valid until 2060", ok, "", func(_ testing.TB, l *line) { l.root.NotAfter, l.leaf.NotAfter = year(2060), year(2060) }},
		{"valid from 2050", certpath.CauseNotYetValid, "", func(_ testing.TB, l *line) { l.issuing.NotBefore, l.issuing.NotAfter = year(2050), year(2060) }},
		{"valid from 1950", ok, "", func(_ testing.TB, l *line) { l.root.NotBefore = year(1950) }},
		{"valid until 1999", certpath.CauseExpired, "", func(_ testing.TB, l *line) { l.issuing.NotBefore, l.issuing.NotAfter = year(1990), year(1999) }},
		{"valid until the end of time", ok, "", func(_ testing.TB, l *line) {
			l.leaf.NotAfter = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
		}},

		// Who may sign.
		{"no basic constraints", certpath.CauseNotCA, "", func(_ testing.TB, l *line) { l.issuing.BasicConstraintsValid = false }},
		{"not an authority", certpath.CauseNotCA, "", func(_ testing.TB, l *line) { l.outer.IsCA = false }},
		{"key usage without certificates", certpath.CauseNotCA, "", func(_ testing.TB, l *line) { l.issuing.KeyUsage = x509.KeyUsageDigitalSignature }},
		{"revocation lists only", certpath.CauseNotCA, "", func(_ testing.TB, l *line) { l.outer.KeyUsage = x509.KeyUsageCRLSign }},
		{"no key usage", ok, "", func(_ testing.TB, l *line) { l.issuing.KeyUsage, l.outer.KeyUsage = 0, 0 }},
		{"a leaf that is an authority", ok, "", func(_ testing.TB, l *line) { l.leaf.IsCA = true }},
		{"a twin that is none", ok, "", func(t testing.TB, l *line) {
			l.also = func(_, outer, _ *certtest.Holder) []*x509.Certificate {
				twin := *l.issuing
				twin.IsCA, twin.NotAfter = false, year(2040)
				return certtest.Certs(certtest.Issue(t, &twin, l.issuingKey, outer))
			}
		}},

		// Path lengths.
		{"path length 0 above an authority", certpath.CausePathLength, "", func(_ testing.TB, l *line) { l.outer.MaxPathLenZero = true }},
		{"path length 1", ok, "", func(_ testing.TB, l *line) { l.root.MaxPathLen, l.outer.MaxPathLen = 2, 1 }},
		{"the root's path length", certpath.CausePathLength, "", func(_ testing.TB, l *line) { l.root.MaxPathLen = 1 }},
		{"path length 0 above a leaf that is an authority", ok, "", func(_ testing.TB, l *line) { l.issuing.MaxPathLenZero, l.leaf.IsCA = true, true }},
		{"self-issued below path length 0", ok, "", func(t testing.TB, l *line) {
			l.issuing.MaxPathLenZero = true
			key := certtest.NewKey(t, elliptic.P256())
			var newer *certtest.Holder
			l.also = func(_, _, issuing *certtest.Holder) []*x509.Certificate {
				newer = selfIssued(t, l.issuing, key, issuing)
				return certtest.Certs(newer)
			}
			l.instead = func(s *situation) { s.leaf = certtest.Issue(t, l.leaf, l.leafKey, newer).Cert }
		}},

		// Keys that follow each other.
		{"a new key, certified by the old one", ok, "", func(t testing.TB, l *line) {
			key := certtest.NewKey(t, elliptic.P256())
			var newer *certtest.Holder
			l.also = func(root, _, _ *certtest.Holder) []*x509.Certificate {
				newer = selfIssued(t, l.root, key, root)
				return certtest.Certs(newer)
			}
			l.instead = func(s *situation) { s.pool[1] = certtest.Issue(t, l.outer, l.outerKey, newer).Cert }
		}},
		{"an old key, certified by the new one", ok, "", func(t testing.TB, l *line) {
			key := certtest.NewKey(t, elliptic.P256())
			newer := certtest.Issue(t, l.root, key, nil)
			l.also = func(*certtest.Holder, *certtest.Holder, *certtest.Holder) []*x509.Certificate {
				return certtest.Certs(selfIssued(t, l.root, l.rootKey, newer))
			}
			l.instead = func(s *situation) { s.roots = certtest.Certs(newer) }
		}},
		{"five hundred of the issuer's name", ok, "", func(t testing.TB, l *line) {
			l.also = func(_, outer, _ *certtest.Holder) []*x509.Certificate {
				var list []*x509.Certificate
				for range 500 {
					list = append(list, certtest.Issue(t, l.issuing, certtest.NewKey(t, elliptic.P256()), outer).Cert)
				}
				return list
			}
		}},
		{"cross-signed by a root that expired", ok, "", func(t testing.TB, l *line) {
			l.also = func(root, _, _ *certtest.Holder) []*x509.Certificate {
				old := certtest.NewRoot(t, "Old root")
				old.NotAfter = now().AddDate(0, -1, 0)
				older := certtest.Issue(t, old, certtest.NewKey(t, elliptic.P256()), nil)
				cross := *l.root
				cross.NotAfter = year(2050)
				return certtest.Certs(older, certtest.Issue(t, &cross, l.rootKey, older))
			}
		}},
		{"authorities that certify each other", certpath.CauseNoRoot, "", func(t testing.TB, l *line) {
			l.also = func(_, outer, issuing *certtest.Holder) []*x509.Certificate {
				return certtest.Certs(certtest.Issue(t, l.outer, l.outerKey, issuing))
			}
			l.instead = func(s *situation) { s.pool, s.roots = []*x509.Certificate{s.pool[0], s.pool[2]}, nil }
		}},

		// Names.
		{"the issuer's name in another kind of string", certpath.CauseSpelling, "it compares what names read; Gmail compares octets", func(t testing.TB, l *line) {
			l.issuing.RawSubject = named(t, asn1.TagUTF8String, "DE", "Acme")
			l.instead = func(s *situation) {
				other := *l.issuing
				other.RawSubject = named(t, asn1.TagPrintableString, "DE", "Acme")
				s.leaf = certtest.Issue(t, l.leaf, l.leafKey, &certtest.Holder{Cert: &other, Key: l.issuingKey}).Cert
			}
		}},
		{"the issuer's name in other case and spaces", certpath.CauseSpelling, "it compares what names read; Gmail compares octets", func(t testing.TB, l *line) {
			l.issuing.RawSubject = named(t, asn1.TagPrintableString, "DE", "Acme  Trust")
			l.instead = func(s *situation) {
				other := *l.issuing
				other.RawSubject = named(t, asn1.TagPrintableString, "de", " ACME trust ")
				s.leaf = certtest.Issue(t, l.leaf, l.leafKey, &certtest.Holder{Cert: &other, Key: l.issuingKey}).Cert
			}
		}},
		{"another issuer's name", certpath.CauseMissing, "", func(t testing.TB, l *line) {
			l.instead = func(s *situation) {
				s.leaf = certtest.Issue(t, l.leaf, l.leafKey, &certtest.Holder{Cert: certtest.NewIntermediate(t, "Elsewhere"), Key: l.issuingKey}).Cert
			}
		}},

		// Name constraints: directory names.
		{"within a directory name", ok, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{directory(t, "DE", "Acme")}, nil)
			l.leaf.RawSubject = named(t, asn1.TagUTF8String, "DE", "ACME", "Sales", "Kim")
		}},
		{"outside a directory name", certpath.CauseNames, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{directory(t, "DE", "Acme")}, nil)
			l.leaf.RawSubject = named(t, asn1.TagUTF8String, "DE", "Emca", "Sales", "Kim")
		}},
		{"within one of several directory names", ok, "", func(t testing.TB, l *line) {
			constrain(t, l.outer, []subtree{directory(t, "DE", "Acme"), directory(t, "FR"), directory(t, "US")}, nil)
			l.issuing.RawSubject, l.leaf.RawSubject = named(t, asn1.TagPrintableString, "US", "Acme"), named(t, asn1.TagBMPString, "FR", "Acme")
		}},
		{"an authority outside a directory name", certpath.CauseNames, "", func(t testing.TB, l *line) {
			constrain(t, l.outer, []subtree{directory(t, "DE", "Acme")}, nil)
			l.leaf.RawSubject = named(t, asn1.TagPrintableString, "DE", "Acme")
		}},
		{"excluded by a directory name", certpath.CauseNames, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{directory(t, "DE")}, []subtree{directory(t, "DE", "Acme", "Sales")})
			l.leaf.RawSubject = named(t, asn1.TagPrintableString, "DE", "Acme", "Sales", "Kim")
		}},
		{"excluded by none of several", ok, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, nil, []subtree{directory(t, "DE", "Acme", "Sales"), directory(t, "FR")})
			l.leaf.RawSubject = named(t, asn1.TagPrintableString, "DE", "Acme", "Salesmen", "Kim")
		}},
		{"constrained twice, within one", certpath.CauseNames, "", func(t testing.TB, l *line) {
			constrain(t, l.outer, []subtree{directory(t, "DE")}, nil)
			constrain(t, l.issuing, []subtree{directory(t, "FR")}, nil)
			l.issuing.RawSubject, l.leaf.RawSubject = named(t, asn1.TagPrintableString, "DE", "CA"), named(t, asn1.TagPrintableString, "FR", "Kim")
		}},
		{"self-issued outside a directory name", ok, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{directory(t, "DE")}, nil)
			l.leaf.RawSubject = named(t, asn1.TagPrintableString, "DE", "Kim")
			key := certtest.NewKey(t, elliptic.P256())
			var newer *certtest.Holder
			l.also = func(_, _, issuing *certtest.Holder) []*x509.Certificate {
				plain := *l.issuing
				plain.ExtraExtensions = nil
				newer = selfIssued(t, &plain, key, issuing)
				return certtest.Certs(newer)
			}
			l.instead = func(s *situation) { s.leaf = certtest.Issue(t, l.leaf, l.leafKey, newer).Cert }
		}},

		// Name constraints: addresses.
		{"a permitted host", ok, "", func(t testing.TB, l *line) { constrain(t, l.issuing, []subtree{mail("EXAMPLE.com")}, nil) }},
		{"a permitted host, the address below it", certpath.CauseNames, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{mail("example.com")}, nil)
			l.leaf.EmailAddresses = []string{"kim@mail.example.com"}
		}},
		{"a permitted domain", ok, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{mail(".example.com")}, nil)
			l.leaf.EmailAddresses = []string{"kim@mail.example.com"}
		}},
		{"a permitted domain, the address at it", certpath.CauseNames, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{mail(".example.com")}, nil)
		}},
		{"a permitted address", ok, "", func(t testing.TB, l *line) { constrain(t, l.issuing, []subtree{mail("kim@Example.com")}, nil) }},
		{"a permitted address, another one", certpath.CauseNames, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{mail("lee@example.com")}, nil)
		}},
		{"several permitted hosts", ok, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{mail("example.org"), mail("example.net"), mail("example.com")}, nil)
			l.leaf.EmailAddresses = []string{"kim@example.com", "kim@example.net"}
		}},
		{"one of two addresses permitted", certpath.CauseNames, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{mail("example.com")}, nil)
			l.leaf.EmailAddresses = []string{"kim@example.com", "kim@example.net"}
		}},
		{"an excluded host", certpath.CauseNames, "", func(t testing.TB, l *line) { constrain(t, l.outer, nil, []subtree{mail("example.com")}) }},
		{"an excluded host, the address below it", ok, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, nil, []subtree{mail("example.com")})
			l.leaf.EmailAddresses = []string{"kim@mail.example.com"}
		}},
		{"an excluded domain", certpath.CauseNames, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, nil, []subtree{mail(".com")})
		}},
		{"an excluded address", certpath.CauseNames, "", func(t testing.TB, l *line) { constrain(t, l.issuing, nil, []subtree{mail(email)}) }},
		{"an address in the subject only", certpath.CauseNames, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{mail("example.org")}, nil)
			l.leaf.EmailAddresses = nil
			l.leaf.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{
				Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(email)},
			}}
		}},
		{"the root's constraints", certpath.CauseNames, "", func(t testing.TB, l *line) { constrain(t, l.root, []subtree{mail("example.org")}, nil) }},
		{"an internationalized address at a permitted host", ok, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{mail("example.com")}, nil)
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, smtpUTF8(t, "jörg@example.com"))
		}},
		{"an internationalized address elsewhere", certpath.CauseNames, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{mail("example.com")}, nil)
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, smtpUTF8(t, "jörg@example.org"))
		}},
		{"other forms of names", ok, "", func(t testing.TB, l *line) {
			l.issuing.PermittedDNSDomains, l.issuing.PermittedDNSDomainsCritical = []string{"example.com"}, true
			l.issuing.ExcludedIPRanges = []*net.IPNet{{IP: net.IP{10, 0, 0, 0}, Mask: net.CIDRMask(8, 32)}}
			l.issuing.PermittedURIDomains = []string{".example.com"}
			l.leaf.DNSNames, l.leaf.IPAddresses = []string{"www.example.com"}, []net.IP{{11, 0, 0, 1}}
		}},
		{"an excluded network", certpath.CauseNames, "", func(_ testing.TB, l *line) {
			l.issuing.ExcludedIPRanges = []*net.IPNet{{IP: net.IP{10, 0, 0, 0}, Mask: net.CIDRMask(8, 32)}}
			l.leaf.IPAddresses = []net.IP{{10, 1, 2, 3}}
		}},
		{"a host that is not permitted", certpath.CauseNames, "", func(_ testing.TB, l *line) {
			l.issuing.PermittedDNSDomains = []string{"example.com"}
			l.leaf.DNSNames = []string{"www.example.org"}
		}},

		// Policies.
		{"no policies", ok, "", func(testing.TB, *line) {}},
		{"a required policy", ok, "", func(t testing.TB, l *line) {
			l.withPolicies(policy(t, 1))
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1})}
		}},
		{"a required policy, none there", certpath.CausePolicy, "", func(t testing.TB, l *line) {
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1})}
		}},
		{"a required policy, another there", certpath.CausePolicy, "", func(t testing.TB, l *line) {
			l.withPolicies(policy(t, 1))
			l.leaf.Policies = []x509.OID{policy(t, 2)}
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1})}
		}},
		{"required after five more", ok, "", func(t testing.TB, l *line) {
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{5, -1})}
		}},
		{"required by the leaf itself", certpath.CausePolicy, "", func(t testing.TB, l *line) {
			l.leaf.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1})}
		}},
		{"required, any policy above", ok, "", func(t testing.TB, l *line) {
			l.withPolicies(every(t))
			l.leaf.Policies = []x509.OID{policy(t, 2)}
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1})}
		}},
		{"required, any policy inhibited", certpath.CausePolicy, "", func(t testing.TB, l *line) {
			l.withPolicies(every(t))
			l.leaf.Policies = []x509.OID{policy(t, 2)}
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1}), extension(t, 54, true, 0)}
		}},
		{"any policy inhibited one later", ok, "", func(t testing.TB, l *line) {
			l.withPolicies(every(t))
			l.leaf.Policies = []x509.OID{policy(t, 2)}
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1}), extension(t, 54, true, 1)}
		}},
		{"a mapped policy", ok, "", func(t testing.TB, l *line) {
			l.withPolicies(policy(t, 1))
			l.leaf.Policies = []x509.OID{policy(t, 2)}
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1})}
			l.issuing.ExtraExtensions = []pkix.Extension{extension(t, 33, true, []policyMapping{mapping(1, 2)})}
		}},
		{"a mapped policy, the old one on the leaf", certpath.CausePolicy, "", func(t testing.TB, l *line) {
			l.withPolicies(policy(t, 1))
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1})}
			l.issuing.ExtraExtensions = []pkix.Extension{extension(t, 33, true, []policyMapping{mapping(1, 2)})}
		}},
		{"mapping inhibited", certpath.CausePolicy, "", func(t testing.TB, l *line) {
			l.withPolicies(policy(t, 1))
			l.leaf.Policies = []x509.OID{policy(t, 2)}
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, 0})}
			l.issuing.ExtraExtensions = []pkix.Extension{extension(t, 33, true, []policyMapping{mapping(1, 2)})}
		}},
		{"mapped to two", ok, "", func(t testing.TB, l *line) {
			l.withPolicies(policy(t, 1))
			l.leaf.Policies = []x509.OID{policy(t, 3)}
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1})}
			l.issuing.ExtraExtensions = []pkix.Extension{extension(t, 33, true, []policyMapping{mapping(1, 2), mapping(1, 3)})}
		}},
		{"mapped under any policy", ok, "", func(t testing.TB, l *line) {
			l.withPolicies(every(t))
			l.leaf.Policies = []x509.OID{policy(t, 2)}
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1})}
			l.issuing.ExtraExtensions = []pkix.Extension{extension(t, 33, true, []policyMapping{mapping(1, 2)}), extension(t, 54, true, 0)}
		}},
		{"any policy mapped", certpath.CausePolicy, "", func(t testing.TB, l *line) {
			l.withPolicies(policy(t, 1))
			anyTo2 := policyMapping{asn1.ObjectIdentifier{2, 5, 29, 32, 0}, mapping(1, 2).Subject}
			l.issuing.ExtraExtensions = []pkix.Extension{extension(t, 33, true, []policyMapping{anyTo2})}
		}},

		// Extensions.
		{"a critical extension of nobody's", certpath.CauseCritical, "", func(_ testing.TB, l *line) {
			l.leaf.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 9}, Critical: true, Value: []byte{5, 0}}}
		}},
		{"a critical extension of nobody's on an authority", certpath.CauseCritical, "", func(_ testing.TB, l *line) {
			l.outer.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 9}, Critical: true, Value: []byte{5, 0}}}
		}},
		{"an extension of nobody's", ok, "", func(_ testing.TB, l *line) {
			l.outer.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 9}, Value: []byte{5, 0}}}
		}},
		{"an alternative name of another form, critical", ok, "", func(t testing.TB, l *line) {
			l.leaf.EmailAddresses = nil
			name := smtpUTF8(t, "jörg@example.com")
			name.Critical = true
			l.leaf.ExtraExtensions = []pkix.Extension{name}
		}},
		{"another key identifier than the issuer's", ok, "it insists on the identifiers, which RFC 5280 section 4.2.1.1 has for finding", func(_ testing.TB, l *line) {
			l.issuing.SubjectKeyId = []byte{1, 2, 3, 4}
			l.instead = func(s *situation) {
				other := *l.issuing
				other.SubjectKeyId = []byte{4, 3, 2, 1}
				s.leaf = mustIssue(l.leaf, l.leafKey, &certtest.Holder{Cert: &other, Key: l.issuingKey})
			}
		}},
	}
}

// TestSituations: paths are judged as RFC 5280 has it, for the right cause, and openssl
// agrees but where it is known not to.
func TestSituations(t *testing.T) {
	right := map[string]int{}
	verdicts := certtest.NewVerdicts("Situations of our own", "Of the kinds that NIST's PKITS has, and of some that it has not; made anew for each run of the tests. The reason is why there is no valid path.",
		"situation", "reason", "ours", "openssl verify", "crypto/x509", "why openssl says otherwise")
	all := append(moreSituations(), rareSituations()...)
	for _, c := range all {
		l := newLine(t)
		c.change(t, l)
		s := l.situation(t)
		valid, err := s.valid()
		cause := certpath.Cause("")
		if none := (*certpath.NoPathError)(nil); errors.As(err, &none) {
			cause = none.Fault.Cause
			if !printableText(none.Fault.Text) || none.Fault.Text == "" {
				t.Errorf("%s: %q", c.name, none.Fault.Text)
			}
		}
		if want := c.cause == ""; valid != want || cause != c.cause {
			t.Errorf("%s: valid: %v, cause %q (%v); want %v, %q", c.name, valid, cause, err, want, c.cause)
		}
		says := s.openssl(t)
		if (says == valid) == (c.openssl != "") {
			t.Errorf("%s: ours says %v, openssl %v; known why not: %q", c.name, valid, says, c.openssl)
		}
		for who, says := range map[string]bool{"ours": valid, "openssl": says, "crypto/x509": s.plain()} {
			if says == (c.cause == "") {
				right[who]++
			}
		}
		verdicts.Row(c.name, string(c.cause), word(valid), word(says), word(s.plain()), c.openssl)
	}
	verdicts.Write(t, "2-situations")
	t.Logf("of %d situations are judged rightly: %v", len(all), right)
}
