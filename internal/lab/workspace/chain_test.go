package workspace_test

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
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/api/gmail/v1"

	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

func TestDeviatingChainsAreRefused(t *testing.T) {
	l := newLab(t, workspace.Config{})
	cse := l.cse(t, alice)
	for name, says := range map[string]string{
		"standard":        "",
		"expired":         "expired",
		"not-yet-valid":   "not valid before",
		"other-address":   "does not carry the address",
		"no-address":      "does not carry the address",
		"server-auth":     "incompatible key usage",
		"by-root":         "at least one intermediate",
		"no-intermediate": "not issued by",
		// Beyond the profile, but this root was added by an administrator.
		"no-crl": "", "three-years": "", "no-policies": "",
	} {
		profile, err := ca.Named(name, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		_, err = cse.Keypairs.Create("me", hardware(armor(t, l.issue(t, alice, ecKey(t), profile)...))).Do()
		if says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if e := wantError(t, err, 400, "invalidArgument"); !strings.Contains(e.Message, says) {
			t.Errorf("%s: %q does not say %q", name, e.Message, says)
		}
	}
}

func TestStrictProfile(t *testing.T) {
	l := newLab(t, workspace.Config{StrictProfile: true})
	cse := l.cse(t, alice)
	both := []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageServerAuth}
	for name, test := range map[string]struct {
		profile ca.Profile
		says    string
	}{
		"standard":        {ca.Profile{}, ""},
		"no CRL":          {ca.Profile{NoCRL: true}, "CRL distribution point"},
		"three years":     {ca.Profile{NotAfter: time.Now().AddDate(3, 0, 0)}, "27 months"},
		"no policies":     {ca.Profile{NoPolicies: true}, "policies"},
		"server as well":  {ca.Profile{ExtKeyUsage: both}, "extended key usage"},
		"encryption only": {ca.Profile{KeyUsage: x509.KeyUsageKeyAgreement}, "digitalSignature"},
	} {
		_, err := cse.Keypairs.Create("me", hardware(armor(t, l.issue(t, alice, ecKey(t), test.profile)...))).Do()
		if test.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if e := wantError(t, err, 400, "invalidArgument"); !strings.Contains(e.Message, test.says) {
			t.Errorf("%s: %q does not say %q", name, e.Message, test.says)
		}
	}
}

func TestKeyTypes(t *testing.T) {
	l := newLab(t, workspace.Config{})
	cse := l.cse(t, alice)
	generate := func(make func() (crypto.Signer, error)) crypto.Signer {
		t.Helper()
		key, err := make()
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	ec := func(curve elliptic.Curve) func() (crypto.Signer, error) {
		return func() (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
	}
	for name, test := range map[string]struct {
		key crypto.Signer
		ok  bool
	}{
		"RSA-2048": {generate(func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }), true},
		"P-384":    {generate(ec(elliptic.P384())), true},
		"P-521":    {generate(ec(elliptic.P521())), false},
		"RSA-1024": {generate(func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 1024) }), false},
		"Ed25519": {generate(func() (crypto.Signer, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return key, err
		}), false},
	} {
		for _, validation := range []string{"all", "none"} {
			_, err := cse.Keypairs.Create("me", hardware(armor(t, l.issue(t, alice, test.key, ca.Profile{AnyKey: true})...))).ChainValidation(validation).Do()
			if test.ok && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !test.ok {
				wantError(t, err, 400, "invalidArgument")
			}
		}
	}
}

func TestChainOrderAndTrust(t *testing.T) {
	l, stranger := newLab(t, workspace.Config{}), newLab(t, workspace.Config{})
	cse := l.cse(t, alice)
	c := l.issue(t, alice, ecKey(t), ca.Profile{})
	foreign := stranger.issue(t, alice, ecKey(t), ca.Profile{})
	for name, test := range map[string]struct {
		chain []*x509.Certificate
		says  string
	}{
		"leaf alone":           {c[:1], "self-signed root"},
		"no root":              {c[:2], "self-signed root"},
		"root first":           {[]*x509.Certificate{c[2], c[1], c[0]}, "certification authority"},
		"swapped intermediate": {[]*x509.Certificate{c[0], c[2], c[1]}, "self-signed root"},
		"twice the leaf":       {[]*x509.Certificate{c[0], c[0], c[1], c[2]}, "not issued by"},
		"other intermediate":   {[]*x509.Certificate{c[0], foreign[1], c[2]}, "not signed by"},
		"untrusted root":       {foreign, "not trusted"},
	} {
		_, err := cse.Keypairs.Create("me", hardware(armor(t, test.chain...))).Do()
		if e := wantError(t, err, 400, "invalidArgument"); !strings.Contains(e.Message, test.says) {
			t.Errorf("%s: %q does not say %q", name, e.Message, test.says)
		}
		// Without validation anything with the right leaf is taken.
		if test.chain[0].IsCA {
			continue
		}
		if _, err := cse.Keypairs.Create("me", hardware(armor(t, test.chain...))).ChainValidation("none").Do(); err != nil {
			t.Errorf("%s without validation: %v", name, err)
		}
	}
	l.AddTrustRoot(stranger.ca.Root())
	if _, err := cse.Keypairs.Create("me", hardware(armor(t, foreign...))).Do(); err != nil {
		t.Errorf("after the root was added: %v", err)
	}
}

func TestRevocation(t *testing.T) {
	l := newLab(t, workspace.Config{})
	cse := l.cse(t, alice)
	chain := l.issue(t, alice, ecKey(t), ca.Profile{})
	upload := hardware(armor(t, chain...))
	pair, err := cse.Keypairs.Create("me", upload).Do()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.ca.Revoke(chain[0].SerialNumber); err != nil {
		t.Fatal(err)
	}
	_, err = cse.Keypairs.Create("me", upload).Do()
	if e := wantError(t, err, 400, "invalidArgument"); !strings.Contains(e.Message, "revoked") {
		t.Errorf("revoked leaf: %q", e.Message)
	}
	_, err = cse.Identities.Create("me", &gmail.CseIdentity{EmailAddress: alice, PrimaryKeyPairId: pair.KeyPairId}).Do()
	wantError(t, err, 400, "invalidArgument")

	other := hardware(armor(t, l.issue(t, alice, ecKey(t), ca.Profile{})...))
	l.pki.Close()
	for name, upload := range map[string]*gmail.CseKeyPair{"good": other, "revoked, but who knows": upload} {
		if _, err := cse.Keypairs.Create("me", upload).Do(); err != nil {
			t.Errorf("%s, lists unreachable: %v", name, err)
		}
	}
}

// TestSilentCRLServer has a distribution point that accepts and never answers.
func TestSilentCRLServer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	authority, err := ca.New(ca.Config{BaseURL: "http://" + silent.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, workspace.Config{TrustRoots: []*x509.Certificate{authority.Root()}, CRLTimeout: 50 * time.Millisecond})
	l.ca = authority
	if pair := l.enrolled(t, alice, ca.Profile{}); pair.KeyPairId == "" {
		t.Error("no key pair")
	}
}

// TestNothingLeavesTheMachine has certificates that name a list on another
// machine, and one on loopback that sends on to another machine.
func TestNothingLeavesTheMachine(t *testing.T) {
	redirect := httptest.NewServer(http.RedirectHandler("http://crl.elsewhere.example/list.crl", http.StatusFound))
	defer redirect.Close()
	for name, base := range map[string]string{
		"a name":       "http://crl.elsewhere.example",
		"an address":   "http://192.0.2.1:8080",
		"IPv6":         "http://[2001:db8::1]",
		"not loopback": "http://localhost.elsewhere.example",
		"sent on":      redirect.URL,
	} {
		for _, fetch := range []bool{false, true} {
			var dialled atomic.Int32
			client := &http.Client{Transport: &http.Transport{
				DisableKeepAlives: true,
				DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					if address == redirect.Listener.Addr().String() {
						return new(net.Dialer).DialContext(ctx, network, address)
					}
					dialled.Add(1)
					return nil, errors.New("there is no network in this test")
				},
			}}
			authority, err := ca.New(ca.Config{BaseURL: base})
			if err != nil {
				t.Fatal(err)
			}
			l := newLab(t, workspace.Config{TrustRoots: []*x509.Certificate{authority.Root()}, HTTPClient: client, FetchCRLs: fetch})
			l.ca = authority
			if pair := l.enrolled(t, alice, ca.Profile{}); pair.KeyPairId == "" {
				t.Errorf("%s: no key pair", name)
			}
			if got := dialled.Load(); (got > 0) != fetch {
				t.Errorf("%s, fetch %v: %d connections to another machine", name, fetch, got)
			}
		}
	}
}

func TestOpenSSLMakesAndReadsChains(t *testing.T) {
	tool := testenv.Program(t, "openssl")
	l := newLab(t, workspace.Config{})
	dir := t.TempDir()
	args := []string{"crl2pkcs7", "-nocrl"}
	for i, c := range l.issue(t, alice, ecKey(t), ca.Profile{}) {
		path := filepath.Join(dir, string(rune('a'+i))+".pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-certfile", path)
	}
	chain, err := exec.Command(tool, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := l.cse(t, alice).Keypairs.Create("me", hardware(string(chain))).Do()
	if err != nil {
		t.Fatal(err)
	}
	answer := filepath.Join(dir, "answer.pem")
	if err := os.WriteFile(answer, []byte(pair.Pem), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command(tool, "verify", "-CAfile", filepath.Join(dir, "c.pem"), "-untrusted", answer, answer).CombinedOutput()
	if err != nil {
		t.Errorf("openssl verify: %v\n%s", err, output)
	}
}

func TestAddressInTheName(t *testing.T) {
	// An old certificate: the address stands in the common name alone.
	key := ecKey(t)
	template := &x509.Certificate{SerialNumber: bigOne(), Subject: pkix.Name{CommonName: "ALICE@lab.example"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, workspace.Config{})
	pair, err := l.cse(t, alice).Keypairs.Create("me", hardware(armor(t, certificate))).ChainValidation("none").Do()
	if err != nil {
		t.Fatal(err)
	}
	if len(pair.SubjectEmailAddresses) != 1 || pair.SubjectEmailAddresses[0] != "ALICE@lab.example" {
		t.Errorf("addresses %q", pair.SubjectEmailAddresses)
	}
}
