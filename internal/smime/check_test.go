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
	"slices"
	"strings"
	"testing"
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
