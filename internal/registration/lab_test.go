package registration_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// practice is a client of the practice domain.
type practice struct {
	t      testing.TB
	domain *gmail.Domain
	server *workspace.Server
	ca     *ca.CA
	email  string // whom it is about
	// where the domain is, for another client
	credentials, url string

	mu    sync.Mutex
	calls []string
	// fault is asked for each call, with how many there were of its method; lies, by
	// user and method, come before it.
	fault func(method string, n int) workspace.Fault
	lies  map[[2]string]workspace.Body
	// before is called before a call is answered, without the lock.
	before func(method string)
}

func newPractice(t testing.TB) *practice {
	t.Helper()
	authority, err := ca.New(ca.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := &practice{t: t, ca: authority, email: "bob@lab.example"}
	p.server, err = workspace.New(workspace.Config{Domain: "lab.example", TrustRoots: []*x509.Certificate{authority.Root()}, Fault: p.decide})
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

func (p *practice) decide(method, user string) workspace.Fault {
	p.mu.Lock()
	if body, lied := p.lies[[2]string{user, method}]; lied {
		p.mu.Unlock()
		return workspace.Fault{Body: body}
	}
	p.calls = append(p.calls, method)
	n := 0
	for _, call := range p.calls {
		if call == method {
			n++
		}
	}
	fault, before := p.fault, p.before
	p.mu.Unlock()
	if before != nil {
		before(method)
	}
	if fault == nil {
		return workspace.Fault{}
	}
	return fault(method, n)
}

// set has calls go wrong from now on.
func (p *practice) set(fault func(method string, n int) workspace.Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// took are the calls since it was asked last.
func (p *practice) took() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := p.calls
	p.calls = nil
	return calls
}

func (p *practice) account() *gmail.User {
	p.t.Helper()
	user, err := p.domain.User(p.t.Context(), p.email)
	if err != nil {
		p.t.Fatal(err)
	}
	return user
}

// chain is a new key's certificate, leaf to root.
func (p *practice) chain(profile ca.Profile) []*x509.Certificate {
	p.t.Helper()
	profile.NoCRL = true
	chain, err := p.ca.Issue(p.email, nil, profile)
	if err != nil {
		p.t.Fatal(err)
	}
	return chain
}

// keyOf asks for a chain to be registered.
func keyOf(t testing.TB, use certificate.Use, chain []*x509.Certificate) registration.Key {
	t.Helper()
	var raw []byte
	for _, certificate := range chain {
		raw = append(raw, certificate.Raw...)
	}
	bundle, err := pkcs7.DegenerateCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(chain[0].Raw)
	return registration.Key{Use: use, LeafSHA256: hex.EncodeToString(sum[:]), Description: "practice card",
		PKCS7: pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: bundle})}
}

func (p *practice) key(use certificate.Use) registration.Key {
	p.t.Helper()
	return keyOf(p.t, use, p.chain(ca.Profile{}))
}

// plant puts a key pair there that somebody else made.
func (p *practice) plant(pair workspace.NewKeyPair) string {
	p.t.Helper()
	id, err := p.server.AddKeyPair(p.email, pair)
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

func (p *practice) register(keys ...registration.Key) (registration.Outcome, error) {
	return registration.Register(p.t.Context(), p.account(), p.email, keys, registration.Hooks{})
}

func (p *practice) mustRegister(keys ...registration.Key) registration.Outcome {
	p.t.Helper()
	outcome, err := p.register(keys...)
	if err != nil {
		p.t.Fatal(err)
	}
	return outcome
}

// identity is the one that the domain has; zero for none.
func (p *practice) identity() workspace.Identity {
	p.t.Helper()
	switch all := p.server.Identities(p.email); len(all) {
	case 0:
		return workspace.Identity{}
	case 1:
		return all[0]
	default:
		p.t.Fatalf("%d identities", len(all))
		return workspace.Identity{}
	}
}

func idsOf(pairs []gmail.KeyPair) []string {
	var ids []string
	for _, pair := range pairs {
		ids = append(ids, pair.ID)
	}
	slices.Sort(ids)
	return ids
}
