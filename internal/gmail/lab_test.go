package gmail_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

const bob = "bob@lab.example"

// practice is a client of the practice domain, which was written by its own
// reading of the API.
type practice struct {
	domain *gmail.Domain
	server *workspace.Server
	ca     *ca.CA
	// where the domain is, for another client
	credentials, url string

	mu    sync.Mutex
	calls map[string]int
	fault func(method string, n int) workspace.Fault
}

func openLab(t *testing.T) *practice {
	t.Helper()
	authority, err := ca.New(ca.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := &practice{ca: authority, calls: map[string]int{}}
	p.server, err = workspace.New(workspace.Config{
		Domain:     "lab.example",
		TrustRoots: []*x509.Certificate{authority.Root()},
		Fault: func(method, _ string) workspace.Fault {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.calls[method]++
			if p.fault == nil {
				return workspace.Fault{}
			}
			return p.fault(method, p.calls[method])
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(p.server)
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "sa.json")
	if err := os.WriteFile(path, p.server.ServiceAccountJSON(server.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	p.credentials, p.url = path, server.URL
	p.domain, err = gmail.Open(gmail.Config{CredentialsFile: path, Endpoint: server.URL, RetryBase: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.domain.Close() })
	return p
}

func (p *practice) user(t *testing.T) *gmail.User {
	t.Helper()
	u, err := p.domain.User(t.Context(), bob)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// request has a new key and its certificate from the practice CA.
func (p *practice) request(t *testing.T, profile ca.Profile) gmail.KeyPairRequest {
	t.Helper()
	chain, err := p.ca.Issue(bob, nil, profile)
	if err != nil {
		t.Fatal(err)
	}
	var raw []byte
	for _, c := range chain {
		raw = append(raw, c.Raw...)
	}
	bundle, err := pkcs7.DegenerateCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(chain[0].Raw)
	return gmail.KeyPairRequest{
		PKCS7:      pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: bundle}),
		LeafSHA256: hex.EncodeToString(sum[:]), Description: "practice card",
	}
}

func TestPracticeDomain(t *testing.T) {
	p := openLab(t)
	u := p.user(t)
	want := p.request(t, ca.Profile{})
	pair, created, err := u.CreateKeyPair(t.Context(), nil, want)
	if err != nil || !created || pair.LeafSHA256 != want.LeafSHA256 || !pair.Enabled || pair.HardwareDescriptions[0] != "practice card" {
		t.Fatal(pair, created, err)
	}
	one := gmail.Identity{Email: bob, PrimaryKeyPairID: pair.ID}
	if got, err := u.CreateIdentity(t.Context(), one); err != nil || got != one {
		t.Fatal(got, err)
	}
	if total := p.calls["token"] + p.calls["keypairs.create"] + p.calls["identities.create"]; total != 3 || len(p.calls) != 3 {
		t.Errorf("calls %v", p.calls)
	}
	if listed, err := u.KeyPairs(t.Context()); err != nil || len(listed) != 1 || listed[0].ID != pair.ID || !listed[0].Hardware() {
		t.Error(listed, err)
	}

	// A second key, split from the first.
	second, created, err := u.CreateKeyPair(t.Context(), []gmail.KeyPair{pair}, p.request(t, ca.Profile{}))
	if err != nil || !created {
		t.Fatal(second, err)
	}
	split := gmail.Identity{Email: bob, SigningKeyPairID: second.ID, EncryptionKeyPairID: pair.ID}
	if _, err := u.CreateIdentity(t.Context(), split); !errors.Is(err, gmail.ErrConflict) {
		t.Error(err)
	}
	if got, err := u.PatchIdentity(t.Context(), split); err != nil || got != split {
		t.Error(got, err)
	}

	if err := u.DeleteIdentity(t.Context()); err != nil {
		t.Error(err)
	}
	if got, err := u.DisableKeyPair(t.Context(), pair.ID); err != nil || got.Enabled {
		t.Error(got, err)
	}
	if err := u.ObliterateKeyPair(t.Context(), pair.ID); !errors.Is(err, gmail.ErrPrecondition) {
		t.Error(err)
	}
	p.server.Advance(31 * 24 * time.Hour)
	if err := u.ObliterateKeyPair(t.Context(), pair.ID); err != nil {
		t.Error(err)
	}
	if _, err := u.KeyPair(t.Context(), pair.ID); !errors.Is(err, gmail.ErrNotFound) {
		t.Error(err)
	}
}

func TestPracticeDomainRefuses(t *testing.T) {
	p := openLab(t)
	u := p.user(t)
	p.server.SetCSE(bob, false)
	if _, _, err := u.CreateKeyPair(t.Context(), nil, p.request(t, ca.Profile{})); !errors.Is(err, gmail.ErrCSEOff) {
		t.Error(err)
	}
	p.server.SetCSE("", true)
	p.server.SetCSE(bob, true)
	for _, profile := range []ca.Profile{{NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}, {Emails: []string{"eve@lab.example"}}} {
		_, created, err := u.CreateKeyPair(t.Context(), nil, p.request(t, profile))
		var e *gmail.Error
		if created || !errors.As(err, &e) || e.Message == "" || e.Status/100 != 4 {
			t.Errorf("%+v: %v", profile, err)
		}
	}
	if n := len(p.server.KeyPairs(bob)); n != 0 {
		t.Errorf("%d key pairs", n)
	}
	if _, err := p.domain.User(t.Context(), "bob@elsewhere.example"); !errors.Is(err, gmail.ErrNoUser) && !errors.Is(err, gmail.ErrScope) {
		t.Error(err)
	}
	p.server.RemoveUser("gone@lab.example")
	if _, err := p.domain.User(t.Context(), "gone@lab.example"); !errors.Is(err, gmail.ErrNoUser) {
		t.Error(err)
	}
	p.server.SetScopes()
	if _, err := p.domain.User(t.Context(), bob); err != nil {
		t.Error("the token of an hour is good for it, and asked for once:", err)
	}
	if _, err := p.domain.User(t.Context(), "carol@lab.example"); !errors.Is(err, gmail.ErrScope) {
		t.Error(err)
	}
}
