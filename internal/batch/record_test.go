package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registration"
)

// suspicious is a domain that looks at each call whether the ledger has the
// answers to those before it.
type suspicious struct {
	batch.Domain
	t      *testing.T
	ledger *ledger.Ledger
}

func (d suspicious) User(ctx context.Context, email string) (registration.Account, error) {
	account, err := d.Domain.User(ctx, email)
	return &suspiciousUser{Account: account, domain: d, email: email}, err
}

type suspiciousUser struct {
	registration.Account
	domain  suspicious
	email   string
	answers []string
}

// check compares what Gmail answered with what another process would read.
func (u *suspiciousUser) check(ctx context.Context, before string) {
	entry, ok, err := u.domain.ledger.Entry(ctx, u.email)
	if err != nil || !ok {
		u.domain.t.Error(ok, err)
	}
	recorded := []string{}
	for _, pair := range entry.Pairs {
		if pair.KeyPairID != "" {
			recorded = append(recorded, pair.KeyPairID)
		}
	}
	if !slices.Equal(recorded, u.answers) {
		u.domain.t.Errorf("before %s the ledger has the key pairs %q, Gmail named %q", before, recorded, u.answers)
	}
}

func (u *suspiciousUser) CreateKeyPair(ctx context.Context, known []gmail.KeyPair, request gmail.KeyPairRequest) (gmail.KeyPair, bool, error) {
	u.check(ctx, "a key pair")
	pair, created, err := u.Account.CreateKeyPair(ctx, known, request)
	u.answers = append(u.answers, pair.ID)
	return pair, created, err
}

func (u *suspiciousUser) CreateIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	u.check(ctx, "the identity")
	return u.Account.CreateIdentity(ctx, want)
}

func (u *suspiciousUser) PatchIdentity(ctx context.Context, want gmail.Identity) (gmail.Identity, error) {
	u.check(ctx, "the identity")
	return u.Account.PatchIdentity(ctx, want)
}

func TestAnswersAreRecordedBeforeTheNextCall(t *testing.T) {
	o := newOffice(t)
	people := make(rows, 20)
	for i := range people {
		email := fmt.Sprintf("split%d@lab.example", i)
		people[i] = source.Row{Email: email, Where: fmt.Sprint("line ", i+1), Line: i + 1, Certificates: []source.Certificate{
			{Use: certificate.UseSign, Data: o.certificate(t, email, ca.Profile{})},
			{Use: certificate.UseEncrypt, Data: o.certificate(t, email, ca.Profile{KeyUsage: 1<<4 | 1<<0})},
		}}
	}
	path := ledgerFile(t)
	options := o.options(t, openLedger(t, path), people)
	reader, err := ledger.Open(t.Context(), path, ledger.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	options.Domain = suspicious{Domain: options.Domain, t: t, ledger: reader}
	if counts := mustRun(t, options); counts.Done != len(people) {
		t.Errorf("%+v", counts)
	}
}

// TestNoSecretsInTheLedger has a server repeat the secrets of each request in its
// answers, and looks for them in the files.
func TestNoSecretsInTheLedger(t *testing.T) {
	o := newOffice(t)
	people := o.people(t, 20)
	path := ledgerFile(t)
	l := openLedger(t, path)
	options := o.options(t, l, people)
	options.GiveUp = 2
	var echo *echoing
	options.Domain = o.gmail(t, func(c *gmail.Config) {
		echo = newEchoing(t, c.Endpoint)
		c.Endpoint, c.MaxTries = echo.server.URL, 2
	})
	counts := mustRun(t, options)
	if counts.Failed == 0 || counts.Done == 0 {
		t.Fatalf("%+v: both successes and failures are wanted", counts)
	}
	var account struct {
		Key string `json:"private_key"`
	}
	credentials, err := os.ReadFile(o.lab.Env()["CSE_PIV_CREDENTIALS"])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(credentials, &account); err != nil || len(account.Key) < 500 {
		t.Fatal("no private key", err)
	}
	secrets := append(echo.secrets(), strings.Split(account.Key, "\n")[3])
	if len(secrets) < 15 {
		t.Fatalf("only %d secrets", len(secrets))
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	found := false
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found = found || bytes.Contains(data, []byte(people[0].Email))
		for _, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %.12s…", filepath.Base(file), secret)
			}
		}
	}
	if !found {
		t.Error("not even an address can be found in these files")
	}
}

// echoing refuses every other user's calls with what they were sent.
type echoing struct {
	server *httptest.Server
	mu     sync.Mutex
	tokens map[string]bool // whether it is refused
}

func newEchoing(t *testing.T, endpoint string) *echoing {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	e := &echoing{tokens: map[string]bool{}}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	e.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		e.mu.Lock()
		refuse, known := e.tokens[token]
		if !known {
			refuse = len(e.tokens)%2 == 0
			e.tokens[token] = refuse
		}
		e.mu.Unlock()
		if !refuse {
			proxy.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"request with Authorization: Bearer %s refused"}}`, token)
	}))
	t.Cleanup(e.server.Close)
	return e
}

func (e *echoing) secrets() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []string
	for token := range e.tokens {
		if len(token) > 20 {
			list = append(list, token)
		}
	}
	return list
}
