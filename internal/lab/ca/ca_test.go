package ca_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

const user = "alice@lab.example"

// serve starts an authority on loopback whose certificates name that server.
func serve(t *testing.T, config ca.Config) (*ca.CA, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	config.BaseURL = "http://" + server.Listener.Addr().String()
	authority, err := ca.New(config)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = authority
	server.Start()
	t.Cleanup(server.Close)
	return authority, config.BaseURL
}

func ecKey(t testing.TB, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	if bits < 1024 {
		t.Fatal("too short")
	}
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func request(t testing.TB, key crypto.Signer, template x509.CertificateRequest) *x509.CertificateRequest {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &template, key)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	return csr
}

func plain() x509.CertificateRequest {
	return x509.CertificateRequest{Subject: pkix.Name{CommonName: "Alice"}, EmailAddresses: []string{user}}
}

func usageExtension(t *testing.T, usage x509.KeyUsage) pkix.Extension {
	t.Helper()
	var bits [2]byte
	for i := range 9 {
		if usage&(1<<i) != 0 {
			bits[i/8] |= 0x80 >> (i % 8)
		}
	}
	value, err := asn1.Marshal(asn1.BitString{Bytes: bits[:], BitLength: 9})
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: value}
}

// writePEM writes certificates for openssl.
func writePEM(t *testing.T, name string, certificates ...*x509.Certificate) string {
	t.Helper()
	var text []byte
	for _, c := range certificates {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// openssl runs the independent judge; without it the test is skipped.
func openssl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	output, err := exec.Command(testenv.Program(t, "openssl"), args...).CombinedOutput()
	return string(output), err
}

func TestStandardProfile(t *testing.T) {
	authority, base := serve(t, ca.Config{})
	chain, err := authority.Sign(request(t, ecKey(t, elliptic.P256()), plain()), ca.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	if len(chain) != 3 {
		t.Fatalf("chain of %d", len(chain))
	}
	leaf, issuing, root := chain[0], chain[1], chain[2]
	if string(root.RawIssuer) != string(root.RawSubject) {
		t.Error("the root's names differ")
	}
	for _, c := range chain[1:] {
		if !c.IsCA || c.KeyUsage&x509.KeyUsageCertSign == 0 {
			t.Errorf("%s cannot sign certificates", c.Subject)
		}
	}
	if !issuing.MaxPathLenZero || !slices.Equal(issuing.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}) {
		t.Error("the intermediate is not limited to issuing for e-mail")
	}
	if !slices.Equal(issuing.CRLDistributionPoints, []string{base + "/crl/root.crl"}) ||
		!slices.Equal(leaf.CRLDistributionPoints, []string{base + "/crl/issuing.crl"}) {
		t.Errorf("distribution points %q, %q", issuing.CRLDistributionPoints, leaf.CRLDistributionPoints)
	}
	if !slices.Equal(leaf.EmailAddresses, []string{user}) || leaf.Subject.CommonName != "Alice" {
		t.Errorf("leaf for %q, %q", leaf.EmailAddresses, leaf.Subject)
	}
	if len(leaf.DNSNames)+len(leaf.URIs)+len(leaf.IPAddresses) != 0 || leaf.IsCA {
		t.Error("the leaf is more than an e-mail certificate")
	}
	if !slices.Equal(leaf.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}) {
		t.Errorf("extended key usage %v", leaf.ExtKeyUsage)
	}
	if len(leaf.Policies) != 1 || leaf.Policies[0].String() == "2.5.29.32.0" {
		t.Errorf("policies %v", leaf.Policies)
	}
	if leaf.NotAfter.After(leaf.NotBefore.AddDate(0, 27, 0)) {
		t.Error("valid for more than 27 months")
	}
	if leaf.SerialNumber.Sign() <= 0 || len(leaf.SerialNumber.Bytes()) != 16 {
		t.Errorf("serial number %x", leaf.SerialNumber)
	}
	if len(leaf.IssuingCertificateURL) != 1 || len(leaf.OCSPServer) != 1 {
		t.Error("no authority information access")
	}
	for _, extension := range leaf.Extensions {
		if extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 15}) && !extension.Critical {
			t.Error("key usage is not critical")
		}
	}
}

func TestKeyUsage(t *testing.T) {
	const (
		sign     = x509.KeyUsageDigitalSignature
		encipher = x509.KeyUsageKeyEncipherment
		agree    = x509.KeyUsageKeyAgreement
	)
	authority, _ := serve(t, ca.Config{})
	rsa2048, p256 := rsaKey(t, 2048), ecKey(t, elliptic.P256())
	for name, test := range map[string]struct {
		key   crypto.Signer
		asked x509.KeyUsage
		want  x509.KeyUsage
	}{
		"rsa":                   {rsa2048, 0, sign | encipher},
		"rsa signing":           {rsa2048, sign, sign},
		"rsa encryption":        {rsa2048, encipher, encipher},
		"ec":                    {p256, 0, sign | agree},
		"ec signing":            {p256, sign | x509.KeyUsageContentCommitment, sign | x509.KeyUsageContentCommitment},
		"ec encryption":         {p256, agree, agree},
		"ec never signs others": {p256, sign | x509.KeyUsageCertSign, sign},
		"p384":                  {ecKey(t, elliptic.P384()), 0, sign | agree},
	} {
		template := plain()
		if test.asked != 0 {
			template.ExtraExtensions = []pkix.Extension{usageExtension(t, test.asked)}
		}
		chain, err := authority.Sign(request(t, test.key, template), ca.Profile{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := chain[0].KeyUsage; got != test.want {
			t.Errorf("%s: key usage %b, want %b", name, got, test.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	authority, _ := serve(t, ca.Config{})
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256 := ecKey(t, elliptic.P256())
	forged := request(t, p256, plain())
	forged.Signature = slices.Clone(forged.Signature)
	forged.Signature[len(forged.Signature)-1] ^= 1
	impossible, silent := plain(), plain()
	impossible.ExtraExtensions = []pkix.Extension{usageExtension(t, x509.KeyUsageKeyEncipherment)}
	silent.EmailAddresses = nil
	for name, test := range map[string]struct {
		csr  *x509.CertificateRequest
		want error
	}{
		"Ed25519":               {request(t, edKey, plain()), ca.ErrKeyType},
		"P-521":                 {request(t, ecKey(t, elliptic.P521()), plain()), ca.ErrKeyType},
		"RSA-1024":              {request(t, rsaKey(t, 1024), plain()), ca.ErrKeyType},
		"forged":                {forged, ca.ErrRequestSignature},
		"no address":            {request(t, p256, silent), ca.ErrNoAddress},
		"EC that would encrypt": {request(t, p256, impossible), ca.ErrKeyUsage},
	} {
		if _, err := authority.Sign(test.csr, ca.Profile{}); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestDeviations(t *testing.T) {
	authority, _ := serve(t, ca.Config{})
	now := time.Now()
	csr := request(t, ecKey(t, elliptic.P256()), plain())
	checks := map[string]func(chain []*x509.Certificate) bool{
		"standard": func(c []*x509.Certificate) bool { return len(c) == 3 },
		"expired":  func(c []*x509.Certificate) bool { return c[0].NotAfter.Before(now) },
		"not-yet-valid": func(c []*x509.Certificate) bool {
			return c[0].NotBefore.After(now) && c[0].NotAfter.After(c[0].NotBefore)
		},
		"other-address": func(c []*x509.Certificate) bool { return !slices.Contains(c[0].EmailAddresses, user) },
		"no-address": func(c []*x509.Certificate) bool {
			return len(c[0].EmailAddresses) == 0 && !strings.Contains(c[0].Subject.String(), "@")
		},
		"no-crl": func(c []*x509.Certificate) bool { return len(c[0].CRLDistributionPoints) == 0 },
		"server-auth": func(c []*x509.Certificate) bool {
			return slices.Equal(c[0].ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth})
		},
		"three-years":     func(c []*x509.Certificate) bool { return c[0].NotAfter.After(c[0].NotBefore.AddDate(0, 35, 0)) },
		"any-key":         func(c []*x509.Certificate) bool { return len(c) == 3 },
		"by-root":         func(c []*x509.Certificate) bool { return len(c) == 2 && c[0].CheckSignatureFrom(c[1]) == nil },
		"no-intermediate": func(c []*x509.Certificate) bool { return len(c) == 2 && c[0].CheckSignatureFrom(c[1]) != nil },
		"no-policies":     func(c []*x509.Certificate) bool { return len(c[0].Policies) == 0 },
		"baseline":        func(c []*x509.Certificate) bool { return c[0].Policies[0].String() == "2.23.140.1.5.1.3" },
		"large":           func(c []*x509.Certificate) bool { return len(c[0].Raw) > 3052 && len(c[0].Raw) < 4000 },
		"too-large":       func(c []*x509.Certificate) bool { return len(c[0].Raw) > 5000 },
	}
	for _, name := range ca.Names() {
		profile, err := ca.Named(name, now)
		if err != nil {
			t.Fatal(err)
		}
		chain, err := authority.Sign(csr, profile)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if check := checks[name]; check == nil || !check(chain) {
			t.Errorf("%s: not as it should be", name)
		}
	}
	if _, err := ca.Named("whatever", now); !errors.Is(err, ca.ErrUnknownProfile) {
		t.Errorf("unknown name: %v", err)
	}
	if _, err := authority.Sign(request(t, rsaKey(t, 1024), plain()), ca.Profile{AnyKey: true}); err != nil {
		t.Errorf("RSA-1024 on request: %v", err)
	}
}

func TestSaveAndLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	if _, err := ca.Load(dir, ca.Config{}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("empty directory: %v", err)
	}
	authority, base := serve(t, ca.Config{})
	csr := request(t, ecKey(t, elliptic.P256()), plain())
	chain, err := authority.Sign(csr, ca.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	if err := authority.Revoke(chain[0].SerialNumber); err != nil {
		t.Fatal(err)
	}
	if err := authority.Save(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"root.key", "issuing.key"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", name, mode)
		}
	}
	loaded, err := ca.Load(dir, ca.Config{BaseURL: base})
	if err != nil {
		t.Fatal(err)
	}
	if !loaded.Root().Equal(authority.Root()) || !loaded.Issuing().Equal(authority.Issuing()) {
		t.Error("other certificates after loading")
	}
	recorder := httptest.NewRecorder()
	loaded.ServeHTTP(recorder, httptest.NewRequest("GET", "/crl/issuing.crl", nil))
	list, err := x509.ParseRevocationList(recorder.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(list.RevokedCertificateEntries); n != 1 {
		t.Errorf("%d revoked after loading, want 1", n)
	}
	if err := os.Rename(filepath.Join(dir, "root.key"), filepath.Join(dir, "issuing.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Load(dir, ca.Config{}); err == nil {
		t.Error("loaded with a missing and a foreign key")
	}
}
