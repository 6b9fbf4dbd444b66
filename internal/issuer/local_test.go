package issuer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io/fs"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/google/go-cmp/cmp"
)

const crlURL = "http://crl.example.org/issuing.crl"

func keyPEM(t *testing.T, key crypto.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return encodePEM("PRIVATE KEY", der)
}

func openLocal(t *testing.T, ca testCA, options Options) *Local {
	t.Helper()
	dir := t.TempDir()
	l, err := newLocal(write(t, dir, "ca.pem", pemOf(ca.issuing, ca.root)), write(t, dir, "ca.key", keyPEM(t, ca.key)), options)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// newLocal is NewLocal with the key of a file, whose warnings and errors count as its own.
func newLocal(certFile, keyFile string, options Options) (*Local, error) {
	nobody := func(context.Context, string, bool) (secret.Secret, error) { return secret.Secret{}, ca.ErrKeyPassword }
	key, err := ca.OpenKey(context.Background(), keyFile, ca.Opening{Password: nobody})
	if err != nil {
		return nil, err
	}
	return NewLocal(certFile, key, options)
}

func newRSA(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestLocalFollowsTheProfile(t *testing.T) {
	ca := newCA(t, nil)
	l := openLocal(t, ca, Options{CRLURL: crlURL, IssuerURL: "http://crl.example.org/issuing.cer"})
	if w := l.Warnings(); len(w) != 0 {
		t.Errorf("warnings %q", w)
	}
	ec, rsaKey := newKey(t), newRSA(t, 2048)
	const sign, commit = x509.KeyUsageDigitalSignature, x509.KeyUsageContentCommitment
	for _, test := range []struct {
		key   crypto.Signer
		use   certificate.Use
		usage x509.KeyUsage
	}{
		{ec, "", sign | x509.KeyUsageKeyAgreement},
		{ec, certificate.UseBoth, sign | x509.KeyUsageKeyAgreement},
		{ec, certificate.UseEncrypt, sign | x509.KeyUsageKeyAgreement},
		{ec, certificate.UseSign, sign | commit},
		{rsaKey, certificate.UseBoth, sign | x509.KeyUsageKeyEncipherment},
		{rsaKey, certificate.UseEncrypt, sign | x509.KeyUsageKeyEncipherment},
		{rsaKey, certificate.UseSign, sign | commit},
	} {
		request := newRequest(t, test.key, nil)
		request.Use = test.use
		before := time.Now()
		certs, err := l.Issue(t.Context(), request)
		if err != nil || len(certs) != 3 {
			t.Fatal(len(certs), err)
		}
		c := certs[0]
		if !certificate.SameKey(c.PublicKey, test.key.Public()) || c.KeyUsage != test.usage {
			t.Errorf("%T %s: key usage %b, want %b", test.key, test.use, c.KeyUsage, test.usage)
		}
		if diff := cmp.Diff([]x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, c.ExtKeyUsage); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{carol}, c.EmailAddresses); diff != "" {
			t.Error(diff)
		}
		if len(c.Policies) != 1 || c.Policies[0].String() != DefaultPolicy {
			t.Errorf("policies %v", c.Policies)
		}
		if diff := cmp.Diff([]string{crlURL}, c.CRLDistributionPoints); diff != "" {
			t.Error(diff)
		}
		if c.IsCA || c.Version != 3 || c.SerialNumber.Sign() <= 0 || c.SerialNumber.BitLen() < 64 || c.SerialNumber.BitLen() > 127 {
			t.Errorf("version %d, serial %x", c.Version, c.SerialNumber)
		}
		if c.Subject.String() != "CN=Carol" || len(c.SubjectKeyId) != 20 || len(c.AuthorityKeyId) == 0 {
			t.Errorf("subject %s, key IDs %x %x", c.Subject, c.SubjectKeyId, c.AuthorityKeyId)
		}
		if age := before.Sub(c.NotBefore); age < 0 || age > 48*time.Hour {
			t.Errorf("starts %v", c.NotBefore)
		}
		if want := c.NotBefore.AddDate(0, 12, 0); c.NotAfter.Sub(want).Abs() > 72*time.Hour {
			t.Errorf("ends %v, want about %v", c.NotAfter, want)
		}
		roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(ca.root)
		intermediates.AddCert(ca.issuing)
		if _, err := c.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}); err != nil {
			t.Error(err)
		}
		i := slices.IndexFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.String() == "2.5.29.15" })
		if i < 0 || !c.Extensions[i].Critical {
			t.Error("key usage is not critical")
		}
	}
}

func TestLocalRefusesRequests(t *testing.T) {
	l := openLocal(t, newCA(t, nil), Options{CRLURL: crlURL})
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	emails := func(all ...string) func(*x509.CertificateRequest) {
		return func(r *x509.CertificateRequest) { r.EmailAddresses = all }
	}
	for name, request := range map[string]Request{
		"P-521":         newRequest(t, p521, nil),
		"Ed25519":       newRequest(t, ed, nil),
		"RSA 2560":      newRequest(t, newRSA(t, 2560), nil),
		"no address":    newRequest(t, key, emails()),
		"other address": newRequest(t, key, emails("eve@example.org")),
		"two addresses": newRequest(t, key, emails(carol, "eve@example.org")),
		"host name":     newRequest(t, key, func(r *x509.CertificateRequest) { r.DNSNames = []string{"example.org"} }),
		"IP address":    newRequest(t, key, func(r *x509.CertificateRequest) { r.IPAddresses = []net.IP{net.IPv4(1, 2, 3, 4)} }),
	} {
		if _, err := l.Issue(t.Context(), request); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLocalNamesTheSubject(t *testing.T) {
	l := openLocal(t, newCA(t, nil), Options{CRLURL: crlURL})
	for name, want := range map[string]string{"": carol, "Carol Å": "Carol Å", "eve@example.org": carol, strings.Repeat("x", 65): carol} {
		certs, err := l.Issue(t.Context(), newRequest(t, newKey(t), func(r *x509.CertificateRequest) { r.Subject.CommonName = name }))
		if err != nil || certs[0].Subject.CommonName != want {
			t.Errorf("%q: %v, %v", name, certs, err)
		}
	}
}

func TestLeafNeverOutlivesItsCA(t *testing.T) {
	ends := time.Now().AddDate(0, 3, 0).UTC().Truncate(time.Second)
	ca := newCA(t, func(c *x509.Certificate) { c.NotAfter = ends })
	l := openLocal(t, ca, Options{CRLURL: crlURL, Months: 27})
	certs, err := l.Issue(t.Context(), newRequest(t, newKey(t), nil))
	if err != nil || !certs[0].NotAfter.Equal(ends) {
		t.Errorf("%v, %v", certs, err)
	}
	l.options.Now = func() time.Time { return ends.Add(time.Second) }
	if _, err := l.Issue(t.Context(), newRequest(t, newKey(t), nil)); err == nil || !strings.Contains(err.Error(), "not valid now") {
		t.Error(err)
	}
}

func TestLocalPolicies(t *testing.T) {
	oid := func(s string) x509.OID {
		o, err := x509.ParseOID(s)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	inheriting := newCA(t, func(c *x509.Certificate) { c.Policies = []x509.OID{oid(anyPolicy), oid("1.3.6.1.4.1.99999.1")} })
	for _, test := range []struct {
		ca       testCA
		policies []string
		want     string
	}{
		{inheriting, nil, "1.3.6.1.4.1.99999.1"},
		{inheriting, []string{"1.2.3.4"}, "1.2.3.4"},
	} {
		l := openLocal(t, test.ca, Options{CRLURL: crlURL, Policies: test.policies})
		certs, err := l.Issue(t.Context(), newRequest(t, newKey(t), nil))
		if err != nil || len(certs[0].Policies) != 1 || certs[0].Policies[0].String() != test.want {
			t.Errorf("%v: %v", certs, err)
		}
	}
}

func TestLocalKeyFormats(t *testing.T) {
	ca := newCA(t, nil)
	ec, err := x509.MarshalECPrivateKey(ca.key)
	if err != nil {
		t.Fatal(err)
	}
	params := encodePEM("EC PARAMETERS", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7})
	rsaKey := newRSA(t, 2048)
	rsaCert := newCertificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "RSA"}, IsCA: true, BasicConstraintsValid: true}, ca.issuing, rsaKey.Public(), ca.key)
	for name, test := range map[string]struct {
		cert *x509.Certificate
		key  []byte
	}{
		"SEC 1":  {ca.issuing, append(params, encodePEM("EC PRIVATE KEY", ec)...)},
		"PKCS#1": {rsaCert, encodePEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))},
		"PKCS#8": {rsaCert, keyPEM(t, rsaKey)},
	} {
		dir := t.TempDir()
		l, err := newLocal(write(t, dir, "c", pemOf(ca.root, test.cert)), write(t, dir, "k", test.key), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if certs, err := l.Issue(t.Context(), newRequest(t, newKey(t), nil)); err != nil || certs[0].CheckSignatureFrom(test.cert) != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLocalRefusesConfiguration(t *testing.T) {
	ca := newCA(t, nil)
	key := keyPEM(t, ca.key)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	notCA := newCA(t, func(c *x509.Certificate) { c.IsCA, c.MaxPathLenZero = false, false })
	noSign := newCA(t, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })
	for name, test := range map[string]struct {
		cert, key []byte
		options   Options
		want      string
	}{
		"other key":      {pemOf(ca.issuing), keyPEM(t, newKey(t)), Options{}, "another key"},
		"encrypted key":  {pemOf(ca.issuing), encodePEM("ENCRYPTED PRIVATE KEY", []byte{1}), Options{}, "encrypted"},
		"Ed25519 key":    {pemOf(ca.issuing), keyPEM(t, ed), Options{}, "Gmail"},
		"damaged key":    {pemOf(ca.issuing), encodePEM("PRIVATE KEY", []byte{1}), Options{}, "parsed"},
		"no key":         {pemOf(ca.issuing), pemOf(ca.issuing), Options{}, "no private key"},
		"no certificate": {key, key, Options{}, "private key"},
		"not a CA":       {pemOf(notCA.issuing), keyPEM(t, notCA.key), Options{}, "not a CA"},
		"may not sign":   {pemOf(noSign.issuing), keyPEM(t, noSign.key), Options{}, "key usage"},
		"too long":       {pemOf(ca.issuing), key, Options{Months: 28}, "28 months"},
		"anyPolicy":      {pemOf(ca.issuing), key, Options{Policies: []string{anyPolicy}}, "policy"},
		"no policy":      {pemOf(ca.issuing), key, Options{Policies: []string{"x"}}, "policy"},
	} {
		dir := t.TempDir()
		if _, err := newLocal(write(t, dir, "c", test.cert), write(t, dir, "k", test.key), test.options); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, test.want)
		}
	}
}

func TestLocalWarns(t *testing.T) {
	ca := newCA(t, nil)
	if w := openLocal(t, ca, Options{}).Warnings(); len(w) != 1 || !strings.Contains(w[0], "CRL") {
		t.Errorf("%q", w)
	}
	dir := t.TempDir()
	rootKey := newKey(t)
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "Root"}, IsCA: true, BasicConstraintsValid: true}
	root := newCertificate(t, template, template, rootKey.Public(), rootKey)
	l, err := newLocal(write(t, dir, "c", pemOf(root)), write(t, dir, "k", keyPEM(t, rootKey)), Options{CRLURL: crlURL})
	if err != nil || len(l.Warnings()) != 1 || !strings.Contains(l.Warnings()[0], "root") {
		t.Error(l, err)
	}
}

func TestLocalKeyMustBePrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such bits")
	}
	authority := newCA(t, nil)
	dir := t.TempDir()
	cert, key := write(t, dir, "c", pemOf(authority.issuing)), write(t, dir, "k", keyPEM(t, authority.key))
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	var open *ca.OpenKeyError
	if _, err := newLocal(cert, key, Options{CRLURL: crlURL}); !errors.Is(err, fs.ErrPermission) || !errors.As(err, &open) || open.Path != key {
		t.Error(err)
	}
	if err := os.Chmod(key, 0o640); err != nil {
		t.Fatal(err)
	}
	if l, err := newLocal(cert, key, Options{CRLURL: crlURL}); err != nil || len(l.Warnings()) != 1 || !strings.Contains(l.Warnings()[0], "group") {
		t.Error(err)
	}
}

// TestLocalIssuesOnce: the same request gets what was issued for it, until that is in the
// second half of its life or revoked; another use gets its own.
func TestLocalIssuesOnce(t *testing.T) {
	now := time.Now()
	l := openLocal(t, newCA(t, nil), Options{CRLURL: crlURL, Months: 1, Now: func() time.Time { return now }})
	request := newRequest(t, newKey(t), nil)
	issue := func(use certificate.Use) *x509.Certificate {
		t.Helper()
		request.Use = use
		certs, err := l.Issue(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		return certs[0]
	}
	first := issue(certificate.UseBoth)
	if !issue(certificate.UseBoth).Equal(first) {
		t.Error("the same request got another certificate")
	}
	if issue(certificate.UseSign).Equal(first) {
		t.Error("another use got the same certificate")
	}
	now = now.AddDate(0, 0, 20)
	second := issue(certificate.UseBoth)
	if second.Equal(first) {
		t.Error("a renewal got the old certificate")
	}
	if err := l.record.Revoke(second.SerialNumber, ca.Revocation{At: now}); err != nil {
		t.Fatal(err)
	}
	if issue(certificate.UseBoth).Equal(second) {
		t.Error("a revoked certificate was given out again")
	}
}
