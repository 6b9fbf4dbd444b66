package gmail_test

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/gmail"
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

func (p *practice) logIn(t *testing.T, hint string, show func(string)) (*gmail.Login, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "client.json")
	if err := os.WriteFile(path, p.server.ClientJSON(p.url), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := gmail.ReadClient(path)
	if err != nil {
		t.Fatal(err)
	}
	return gmail.LogIn(t.Context(), gmail.Config{Endpoint: p.url, RetryBase: time.Millisecond}, client, hint, show)
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
	p.server.RevokeLogins()
	if _, err := u.KeyPairs(t.Context()); detailOf(err) != gmail.DetailLoginRevoked {
		t.Error(err)
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
		visit(t, link)
	})
	if err != nil || login.Address() != bob {
		t.Error(login, err)
	}
}
