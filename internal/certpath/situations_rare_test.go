package certpath_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"net/url"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/certpath"
)

// encoded is an extension of that number (RFC 5280 section 4.2), as it is encoded.
func encoded(number int, critical bool, value ...byte) pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, number}, Critical: critical, Value: value}
}

func alternative(t testing.TB, names ...asn1.RawValue) pkix.Extension {
	t.Helper()
	return extension(t, 17, false, names)
}

func general(tag int, value string) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: []byte(value)}
}

// rareSituations are what few authorities make: names and constraints of rare forms, critical
// extensions that mostly are not, twins of which one alone leads to a root.
func rareSituations() []oneSituation {
	const ok, no = certpath.Cause(""), certpath.CauseNames
	return []oneSituation{
		{"a minimum of 0 written out", ok, "", func(t testing.TB, l *line) {
			l.issuing.ExtraExtensions = append(l.issuing.ExtraExtensions, encoded(30, true, append([]byte{0x30, 20, 0xa0, 18, 0x30, 16, 0x81, 11}, append([]byte("example.com"), 0x80, 1, 0)...)...))
		}},
		{"a minimum of 1", no, "", func(t testing.TB, l *line) {
			l.issuing.ExtraExtensions = append(l.issuing.ExtraExtensions, encoded(30, true, append([]byte{0x30, 20, 0xa0, 18, 0x30, 16, 0x81, 11}, append([]byte("example.com"), 0x80, 1, 1)...)...))
		}},
		{"a maximum", no, "", func(t testing.TB, l *line) {
			l.issuing.ExtraExtensions = append(l.issuing.ExtraExtensions, encoded(30, true, append([]byte{0x30, 20, 0xa0, 18, 0x30, 16, 0x81, 11}, append([]byte("example.com"), 0x81, 1, 1)...)...))
		}},
		{"every directory name permitted", ok, "", func(t testing.TB, l *line) { constrain(t, l.issuing, []subtree{directory(t)}, nil) }},
		{"every directory name excluded", no, "", func(t testing.TB, l *line) { constrain(t, l.issuing, nil, []subtree{directory(t)}) }},
		{"every address permitted", ok, "an empty constraint is none of its addresses", func(t testing.TB, l *line) { constrain(t, l.issuing, []subtree{mail("")}, nil) }},
		{"every address excluded", no, "an empty constraint is none of its addresses", func(t testing.TB, l *line) { constrain(t, l.issuing, nil, []subtree{mail("")}) }},
		{"another form of names permitted, none there", ok, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{{asn1.RawValue{Class: 2, Tag: 8, Bytes: []byte{42, 3}}}}, nil)
		}},
		{"another form of names, one there", no, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{{asn1.RawValue{Class: 2, Tag: 8, Bytes: []byte{42, 3}}}}, nil)
			l.leaf.EmailAddresses = nil
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, alternative(t, general(1, email), general(8, "\x2a\x03")))
		}},
		{"a user principal name, another one excluded", no, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, nil, []subtree{{asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: append([]byte{6, 10, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3}, 0xa0, 5, 12, 3, 'a', '@', 'b')}}})
			l.leaf.EmailAddresses = nil
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, alternative(t, general(1, email), asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: append([]byte{6, 10, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3}, 0xa0, 5, 12, 3, 'c', '@', 'd')}))
		}},
		{"a directory name in the alternative names, outside", no, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{directory(t, "DE")}, nil)
			l.leaf.RawSubject = named(t, asn1.TagUTF8String, "DE", "Kim")
			l.leaf.EmailAddresses = nil
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, alternative(t, general(1, email), directory(t, "FR", "Kim").Base))
		}},
		{"within a directory name, in UniversalString", ok, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{directory(t, "DE", "Acme")}, nil)
			u := func(s string) (o []byte) {
				for _, r := range s {
					o = append(o, 0, 0, byte(r>>8), byte(r))
				}
				return
			}
			der, _ := asn1.Marshal([]attributeSET{{{asn1.ObjectIdentifier{2, 5, 4, 6}, asn1.RawValue{Tag: 19, Bytes: []byte("DE")}}}, {{asn1.ObjectIdentifier{2, 5, 4, 10}, asn1.RawValue{Tag: 28, Bytes: u("ACME")}}}})
			l.leaf.RawSubject = der
		}},
		{"within a directory name, in T61String", ok, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{directory(t, "DE", "Acme")}, nil)
			l.leaf.RawSubject = named(t, asn1.TagT61String, "DE", "aCME", "x")
		}},
		{"constraints that are not critical", no, "", func(t testing.TB, l *line) {
			l.issuing.ExtraExtensions = append(l.issuing.ExtraExtensions, extension(t, 30, false, subtrees{[]subtree{mail("example.org")}, nil}))
		}},
		{"constraints of the leaf itself", ok, "", func(t testing.TB, l *line) { constrain(t, l.leaf, []subtree{mail("example.org")}, nil) }},
		{"a URI without a host", no, "", func(t testing.TB, l *line) {
			l.issuing.PermittedURIDomains = []string{"example.com"}
			l.leaf.URIs = []*url.URL{{Scheme: "urn", Opaque: "uuid:1"}}
		}},
		{"an excluded network of the other version", ok, "", func(t testing.TB, l *line) {
			l.issuing.ExcludedIPRanges = []*net.IPNet{{IP: net.ParseIP("fd00::"), Mask: net.CIDRMask(8, 128)}}
			l.leaf.IPAddresses = []net.IP{{10, 1, 2, 3}}
		}},
		{"a permitted host in A-labels", ok, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{mail("xn--bcher-kva.example")}, nil)
			l.leaf.EmailAddresses = []string{"kim@XN--BCHER-KVA.example"}
		}},
		{"an address that is none", no, "", func(t testing.TB, l *line) {
			constrain(t, l.issuing, []subtree{mail("example.com")}, nil)
			l.leaf.EmailAddresses = []string{"example.com"}
		}},
		{"a critical extended key usage", ok, "", func(t testing.TB, l *line) {
			l.leaf.ExtKeyUsage = nil
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, extension(t, 37, true, []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 4}}))
		}},
		{"any policy inhibited by the root", ok, "", func(t testing.TB, l *line) { l.root.ExtraExtensions = []pkix.Extension{extension(t, 54, true, 0)} }},
		{"any policy inhibited, but for a self-issued one", ok, "", func(t testing.TB, l *line) {
			l.withPolicies(policy(t, 1))
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1}), extension(t, 54, true, 0)}
			key := certtest.NewKey(t, elliptic.P256())
			var newer *certtest.Holder
			l.also = func(_, _, issuing *certtest.Holder) []*x509.Certificate {
				again := *l.issuing
				again.Policies = []x509.OID{every(t)}
				newer = selfIssued(t, &again, key, issuing)
				return certtest.Certs(newer)
			}
			l.instead = func(s *situation) { s.leaf = certtest.Issue(t, l.leaf, l.leafKey, newer).Cert }
		}},
		{"a required policy of a large arc", ok, "", func(t testing.TB, l *line) {
			id, _ := x509.ParseOID("2.25.329800735698586629295641978511506172918")
			l.withPolicies(id)
			l.outer.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1})}
		}},
		{"critical policies with a qualifier", ok, "", func(t testing.TB, l *line) {
			l.leaf.Policies = nil
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, extension(t, 32, true, []struct {
				ID asn1.ObjectIdentifier
				Q  []struct {
					ID asn1.ObjectIdentifier
					V  string `asn1:"ia5"`
				}
			}{{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, []struct {
				ID asn1.ObjectIdentifier
				V  string `asn1:"ia5"`
			}{{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}, "http://x/"}}}}))
		}},
		{"critical authority information access", certpath.CauseCritical, "", func(t testing.TB, l *line) {
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}, Critical: true, Value: append([]byte{0x30, 22, 0x30, 20, 6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2, 0x86, 8}, "http://x"...)})
		}},
		{"a critical subject key identifier", certpath.CauseCritical, "", func(t testing.TB, l *line) {
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, encoded(14, true, 4, 1, 1))
		}},
		{"critical CRL distribution points", ok, "", func(t testing.TB, l *line) {
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, encoded(31, true, append([]byte{0x30, 16, 0x30, 14, 0xa0, 12, 0xa0, 10, 0x86, 8}, "http://x"...)...))
		}},
		{"Netscape's type, critical", ok, "", func(t testing.TB, l *line) {
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 1}, Critical: true, Value: []byte{3, 2, 5, 0x20}})
		}},
		{"critical QC statements", certpath.CauseCritical, "", func(t testing.TB, l *line) {
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}, Critical: true, Value: []byte{0x30, 0}})
		}},
		{"a critical extension of PIV cards", certpath.CauseCritical, "", func(t testing.TB, l *line) {
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 6, 9, 1}, Critical: true, Value: []byte{1, 1, 255}})
		}},
		{"critical S/MIME capabilities", certpath.CauseCritical, "", func(t testing.TB, l *line) {
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 15}, Critical: true, Value: []byte{0x30, 0}})
		}},
		{"critical alternative names of the issuer", certpath.CauseCritical, "", func(t testing.TB, l *line) {
			l.leaf.ExtraExtensions = append(l.leaf.ExtraExtensions, encoded(18, true, append([]byte{0x30, 5, 0x82, 3}, "a.b"...)...))
		}},
		{"a critical extension of nobody's on the root", certpath.CauseCritical, "", func(t testing.TB, l *line) {
			l.root.ExtraExtensions = append(l.root.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}})
		}},
		{"a renewed root with the old key", ok, "", func(t testing.TB, l *line) {
			l.instead = func(s *situation) {
				old := *l.root
				old.NotAfter = now().AddDate(-1, 0, 0)
				older := certtest.Issue(t, &old, l.rootKey, nil)
				s.roots = append(certtest.Certs(older), s.roots...)
				s.pool = append(certtest.Certs(older), s.pool...)
			}
		}},
		{"three in a ring, and a way out", ok, "", func(t testing.TB, l *line) {
			l.also = func(root, outer, issuing *certtest.Holder) []*x509.Certificate {
				a := certtest.NewIntermediate(t, "Ring A")
				ak := certtest.NewKey(t, elliptic.P256())
				first := certtest.Issue(t, a, ak, issuing)
				back := certtest.Issue(t, l.outer, l.outerKey, first)
				return certtest.Certs(first, back)
			}
		}},
		{"valid until this second", ok, "it takes the last second for one too many", func(t testing.TB, l *line) { l.leaf.NotAfter = now() }},
		{"valid from this second", ok, "", func(t testing.TB, l *line) { l.leaf.NotBefore = now() }},
		{"valid until before it begins", certpath.CauseExpired, "", func(t testing.TB, l *line) {
			l.leaf.NotBefore, l.leaf.NotAfter = now().AddDate(1, 0, 0), now().AddDate(-1, 0, 0)
		}},
		{"a twin whose path length is too short", ok, "", func(t testing.TB, l *line) {
			l.also = func(root, outer, _ *certtest.Holder) []*x509.Certificate {
				twin := *l.outer
				twin.MaxPathLenZero = true
				return certtest.Certs(certtest.Issue(t, &twin, l.outerKey, root))
			}
		}},
		{"a twin whose constraints leave the leaf out", ok, "", func(t testing.TB, l *line) {
			l.also = func(root, outer, _ *certtest.Holder) []*x509.Certificate {
				twin := *l.outer
				constrain(t, &twin, []subtree{mail("example.org")}, nil)
				return certtest.Certs(certtest.Issue(t, &twin, l.outerKey, root))
			}
		}},
		{"a twin that requires a policy", ok, "", func(t testing.TB, l *line) {
			l.also = func(root, outer, _ *certtest.Holder) []*x509.Certificate {
				twin := *l.outer
				twin.ExtraExtensions = []pkix.Extension{extension(t, 36, true, policyConstraints{0, -1})}
				return certtest.Certs(certtest.Issue(t, &twin, l.outerKey, root))
			}
		}},
		{"a twin with a critical extension of nobody's", ok, "", func(t testing.TB, l *line) {
			l.also = func(root, outer, _ *certtest.Holder) []*x509.Certificate {
				twin := *l.issuing
				twin.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
				return certtest.Certs(certtest.Issue(t, &twin, l.issuingKey, outer))
			}
		}},
		{"policies mapped to each other eleven times", ok, "it gives up beyond a thousand", func(t testing.TB, l *line) {
			last := &certtest.Holder{}
			ms := []policyMapping{}
			for i := 1; i < 8; i++ {
				for j := 1; j < 8; j++ {
					ms = append(ms, mapping(i, j))
				}
			}
			ps := []x509.OID{}
			for i := 1; i < 8; i++ {
				ps = append(ps, policy(t, uint64(i)))
			}
			l.withPolicies(ps...)
			l.also = func(_, _, issuing *certtest.Holder) []*x509.Certificate {
				var list []*x509.Certificate
				last = issuing
				for i := range 11 {
					n := certtest.NewIntermediate(t, fmt.Sprint("Further ", i))
					n.Policies = ps
					n.ExtraExtensions = []pkix.Extension{extension(t, 33, true, ms), extension(t, 36, true, policyConstraints{0, -1})}
					last = certtest.Issue(t, n, certtest.NewKey(t, elliptic.P256()), last)
					list = append(list, last.Cert)
				}
				return list
			}
			l.instead = func(s *situation) { s.leaf = certtest.Issue(t, l.leaf, l.leafKey, last).Cert }
		}},
		{"two authorities with one key", ok, "", func(t testing.TB, l *line) { l.issuingKey = l.outerKey }},
		{"the issuer's key on the leaf", ok, "", func(t testing.TB, l *line) { l.leafKey = l.issuingKey }},
		{"the issuer's name on the leaf", ok, "without a key identifier it takes the leaf for its own issuer", func(t testing.TB, l *line) { l.leaf.Subject = l.issuing.Subject }},
		{"the root's name on the leaf", ok, "", func(t testing.TB, l *line) { l.leaf.Subject = l.root.Subject }},
	}
}
