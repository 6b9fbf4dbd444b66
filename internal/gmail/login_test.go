package gmail_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// visit follows a link as a browser does.
func visit(t *testing.T, link string) {
	t.Helper()
	response, err := http.Get(link)
	if err != nil {
		t.Error(err)
		return
	}
	response.Body.Close()
}

// scan asks for something that is no answer of a login, for a host by another name if that is given.
func scan(t *testing.T, method, address, host string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("%s %s is answered %s", method, address, response.Status)
	}
}

func (p *practice) logIn(t *testing.T, hint string, show func(string)) (*gmail.Login, error) {
	t.Helper()
	return gmail.LogIn(t.Context(), gmail.Config{Endpoint: p.url, RetryBase: time.Millisecond}, p.client(t), hint, show)
}

func (p *practice) resume(t *testing.T, refresh secret.Secret) (*gmail.Login, error) {
	t.Helper()
	return gmail.Resume(t.Context(), gmail.Config{Endpoint: p.url, RetryBase: time.Millisecond}, p.client(t), refresh)
}

func (p *practice) client(t *testing.T) *gmail.Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "client.json")
	if err := os.WriteFile(path, p.server.ClientJSON(p.url), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := gmail.ReadClient(path)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func detailOf(err error) gmail.Detail {
	var e *gmail.Error
	if !errors.Is(err, gmail.ErrCredentials) || !errors.As(err, &e) {
		return ""
	}
	return e.Detail
}

// TestLogin goes the whole way of a user's own login, until it is revoked.
func TestLogin(t *testing.T) {
	p := openLab(t)
	login, err := p.logIn(t, bob, func(link string) { visit(t, link) })
	if err != nil || login.Address() != bob {
		t.Fatal(login, err)
	}
	d, err := gmail.Open(gmail.Config{Login: login, Endpoint: p.url, RetryBase: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got := d.Credentials(); got.Kind != gmail.CredentialsLogin || got.String() != "the login of "+bob {
		t.Error(got)
	}
	u, err := d.User(t.Context(), bob)
	if err != nil {
		t.Fatal(err)
	}
	if pairs, err := u.KeyPairs(t.Context()); err != nil || len(pairs) != 0 {
		t.Error(pairs, err)
	}
	if _, err := d.User(t.Context(), "carol@lab.example"); detailOf(err) != gmail.DetailOtherLogin {
		t.Error(err)
	}
	resumed, err := p.resume(t, login.Refresh())
	if err != nil || resumed.Address() != bob || !resumed.Refresh().Equal(login.Refresh()) {
		t.Error(resumed, err)
	}
	p.server.RevokeLogins()
	if _, err := u.KeyPairs(t.Context()); detailOf(err) != gmail.DetailLoginRevoked {
		t.Error(err)
	}
	if _, err := p.resume(t, login.Refresh()); detailOf(err) != gmail.DetailLoginRevoked {
		t.Error(err)
	}
}

// TestNobodyLoggedIn: a domain without a login tells the time, and gives no token.
func TestNobodyLoggedIn(t *testing.T) {
	p := openLab(t)
	d, err := gmail.Open(gmail.Config{Login: gmail.NotLoggedIn(p.client(t)), Endpoint: p.url, RetryBase: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.User(t.Context(), bob); detailOf(err) != gmail.DetailNotLoggedIn {
		t.Error(err)
	}
	if _, err := d.ClockAhead(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestRefusedLogin: what the token endpoint answers to a login is told as being about the login.
func TestRefusedLogin(t *testing.T) {
	for answer, want := range map[string]gmail.Detail{
		`{"error": "invalid_grant", "error_description": "Bad Request"}`:                         gmail.DetailLoginRevoked,
		`{"error": "invalid_grant", "error_description": "Account has been deleted"}`:            gmail.DetailLoginRevoked,
		`{"error": "invalid_grant", "error_description": "reauth related error (invalid_rapt)"}`: gmail.DetailLoginRevoked,
		`{"error": "deleted_client", "error_description": "The OAuth client was deleted."}`:      gmail.DetailClient,
		`{"error": "invalid_client", "error_description": "Unauthorized"}`:                       gmail.DetailClient,
		`{"error": "unauthorized_client", "error_description": "Unauthorized"}`:                  gmail.DetailClient,
		`{"error": "invalid_scope"}`: gmail.DetailLoginScope,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, answer)
		}))
		path := filepath.Join(t.TempDir(), "client.json")
		if err := os.WriteFile(path, []byte(`{"installed": {"client_id": "x", "token_uri": "`+server.URL+`/token"}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		client, err := gmail.ReadClient(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gmail.Resume(t.Context(), gmail.Config{Endpoint: server.URL}, client, secret.FromString("kept")); detailOf(err) != want {
			t.Errorf("%s is told as %q: %v", answer, detailOf(err), err)
		}
		server.Close()
	}
}

// TestLoginThatFails: denied; with another state, sent by the server or by whoever finds the
// port; by a browser that asks for something else meanwhile, which is no answer.
func TestLoginThatFails(t *testing.T) {
	p := openLab(t)
	p.server.SetConsent(true, false)
	if _, err := p.logIn(t, bob, func(link string) { visit(t, link) }); detailOf(err) != gmail.DetailConsent {
		t.Error(err)
	}
	p.server.SetConsent(false, true)
	if _, err := p.logIn(t, bob, func(link string) { visit(t, link) }); detailOf(err) != gmail.DetailLoginState {
		t.Error(err)
	}
	p.server.SetConsent(false, false)
	redirect := func(link string) string {
		at, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		return at.Query().Get("redirect_uri")
	}
	if _, err := p.logIn(t, bob, func(link string) { visit(t, redirect(link)+"?code=stolen&state=guessed") }); detailOf(err) != gmail.DetailLoginState {
		t.Error(err)
	}
	login, err := p.logIn(t, bob, func(link string) {
		visit(t, redirect(link)+"favicon.ico")
		visit(t, redirect(link))
		for _, method := range []string{http.MethodPost, http.MethodOptions, http.MethodHead} { // of a scanner
			scan(t, method, redirect(link)+"?code=stolen&state=guessed", "")
		}
		scan(t, http.MethodGet, redirect(link)+"?code=stolen&state=guessed", "evil.example")
		scan(t, http.MethodGet, redirect(link)+"login?code=stolen&state=guessed", "")
		visit(t, link)
		visit(t, redirect(link)+"?code=stolen&state=guessed") // a second answer, which comes too late
	})
	if err != nil || login.Address() != bob {
		t.Error(login, err)
	}
}
