package gmail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/api/option"

	api "google.golang.org/api/gmail/v1"

	"github.com/cse-piv/cse-piv/internal/logging"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Login is a user's own consent that this program changes their settings. It is kept
// nowhere by itself: what goes on with it later is [Login.Refresh].
type Login struct {
	client  *Client
	address string
	refresh secret.Secret
}

// loginTime is how long a person has to log in and consent.
const loginTime = 5 * time.Minute

// LogIn lets a person log in at the browser (OAuth 2.0 for native apps, RFC 8252, with
// PKCE, RFC 7636) and asks Gmail whose account it is. show is told the link to be opened;
// hint is the address that is expected, if any. Of the configuration it uses how Gmail is
// reached. Errors match ErrCredentials, ErrScope, ErrUnavailable or ErrCanceled.
func LogIn(ctx context.Context, config Config, client *Client, hint string, show func(link string)) (*Login, error) {
	config = config.withDefaults()
	base, done, err := config.forLogin()
	if err != nil {
		return nil, err
	}
	defer done()
	verifier, state := oauth2.GenerateVerifier(), rand.Text()
	callback, err := newCallback(state)
	if err != nil {
		return nil, &Error{Method: "login", Kind: KindUnavailable, Message: "listen on this machine for the answer of the browser: " + err.Error(), Err: err}
	}
	defer callback.close()
	show(client.link(callback.address(), state, verifier, hint))
	waiting, cancel := context.WithTimeout(ctx, loginTime)
	defer cancel()
	code, err := callback.wait(waiting)
	switch {
	case ctx.Err() != nil:
		return nil, canceled("login", hint, ctx)
	case err != nil:
		return nil, loginError(err)
	}
	return client.logIn(ctx, config, base, hint, secret.Secret{}, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}, "redirect_uri": {callback.address()},
	})
}

// Resume goes on with a login that was kept, by the refresh token that [Login.Refresh] returned,
// and asks Gmail whose account it is. It uses of the configuration what LogIn does. A login that
// was taken back or ran out is an ErrCredentials with [DetailLoginRevoked]; other errors match
// ErrCredentials, ErrScope, ErrUnavailable or ErrCanceled.
func Resume(ctx context.Context, config Config, client *Client, refresh secret.Secret) (*Login, error) {
	config = config.withDefaults()
	base, done, err := config.forLogin()
	if err != nil {
		return nil, err
	}
	defer done()
	return client.logIn(ctx, config, base, "", refresh, refreshForm(refresh))
}

// NotLoggedIn returns what stands for the login of a person who was not asked to log in: its
// domain knows where tokens are asked for, and gives none, with [DetailNotLoggedIn].
func NotLoggedIn(client *Client) *Login { return &Login{client: client} }

// forLogin returns what carries the exchanges of a login, and what ends it.
func (c Config) forLogin() (base http.RoundTripper, done func(), err error) {
	if err := CheckURL(c.Endpoint); err != nil {
		return nil, nil, &Error{Method: "endpoint", Kind: KindInvalid, Message: err.Error()}
	}
	if c.Transport != nil {
		return logging.Transport(c.Transport), func() {}, nil
	}
	transport := newTransport(0, c.Roots)
	return logging.Transport(transport), transport.CloseIdleConnections, nil
}

// logIn exchanges what a form has for a token, and asks whose it is. refresh is the refresh
// token that is known already, where the answer brings none.
func (c *Client) logIn(ctx context.Context, config Config, base http.RoundTripper, hint string, refresh secret.Secret, form url.Values) (*Login, error) {
	exchange, cancel := context.WithTimeout(logging.Adding(ctx, logging.Attempt, 1), config.CallTimeout)
	defer cancel()
	p := &probe{ctx: exchange, base: &bounded{base: base}}
	token, err := requestToken(p, c.tokenURL, c.form(form))
	if err != nil {
		return nil, classifyLogin(ctx, hint, p, err)
	}
	if !isToken(token.AccessToken) {
		return nil, &Error{Method: "login", Status: p.status, Kind: KindProtocol, Message: noToken(p), Detail: DetailTokenEndpoint}
	}
	if token.RefreshToken != "" {
		refresh = secret.FromString(token.RefreshToken)
	}
	login := &Login{client: c, refresh: refresh}
	if login.address, err = primaryAddress(exchange, config.Endpoint, p, token); err != nil {
		return nil, err
	}
	return login, nil
}

// link is the address at which a person consents (RFC 6749 section 4.1.1).
func (c *Client) link(redirect, state, verifier, hint string) string {
	query := url.Values{
		"client_id": {c.id}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {Scope}, "state": {state},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"}, "access_type": {"offline"},
	}
	if hint != "" {
		query.Set("login_hint", hint)
	}
	return c.authURL + "?" + query.Encode()
}

// form adds what tells the client to a request for a token.
func (c *Client) form(form url.Values) url.Values {
	form.Set("client_id", c.id)
	if c.secret.Len() > 0 {
		form.Set("client_secret", string(c.secret.Reveal()))
	}
	return form
}

func (l *Login) credentials() Credentials {
	return Credentials{Kind: CredentialsLogin, Account: l.address}
}

func (l *Login) endpoint() string { return l.client.tokenURL }

// Address is the primary address of who is logged in.
func (l *Login) Address() string { return l.address }

// Refresh returns the refresh token, with which [Resume] goes on with the login; zero where the
// server gave none.
func (l *Login) Refresh() secret.Secret { return l.refresh }

// grant gets a further token. A login is for Scope alone.
func (l *Login) grant(p *probe, user, _ string) (*oauth2.Token, error) {
	if l.address == "" {
		return nil, &Error{Method: "token", Kind: KindCredentials, Detail: DetailNotLoggedIn, Message: "nobody is logged in"}
	}
	token, err := requestToken(p, l.client.tokenURL, l.client.form(refreshForm(l.refresh)))
	if err != nil && p.status >= http.StatusBadRequest {
		return nil, classifyLogin(p.ctx, user, p, err)
	}
	return token, err
}

// refreshForm asks for a further token (RFC 6749 section 6).
func refreshForm(refresh secret.Secret) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {string(refresh.Reveal())}}
}

// classifyLogin is classifyToken for a login, where an answer means something else than for a
// service account.
func classifyLogin(ctx context.Context, user string, p *probe, err error) *Error {
	e := classifyToken(ctx, user, p, err)
	switch e.Reason {
	case "invalid_grant":
		e.Kind, e.Detail = KindCredentials, DetailLoginRevoked
	case "unauthorized_client", "invalid_client", "deleted_client":
		e.Kind, e.Detail = KindCredentials, DetailClient
	case "access_denied", "invalid_scope":
		e.Kind, e.Detail = KindCredentials, DetailLoginScope
	}
	return e
}

// primaryAddress asks Gmail whose token it is. users.getProfile takes wider scopes than
// Scope, the list of addresses to send from does not.
func primaryAddress(ctx context.Context, endpoint string, base http.RoundTripper, token *oauth2.Token) (string, error) {
	service, err := api.NewService(ctx,
		option.WithHTTPClient(&http.Client{Transport: &oauth2.Transport{Source: oauth2.StaticTokenSource(token), Base: base}, CheckRedirect: noRedirect}),
		option.WithEndpoint(endpoint), option.WithLogger(discardLogger()))
	if err != nil {
		return "", fmt.Errorf("prepare the Gmail client: %w", err)
	}
	list, err := service.Users.Settings.SendAs.List("me").Context(ctx).Do()
	if err != nil {
		e := classify(ctx, "sendAs.list", "", err)
		if e.Kind == KindScope {
			e.Detail = DetailLoginScope
		}
		return "", e
	}
	for _, from := range list.SendAs {
		if from != nil && from.IsPrimary && safetext.IsAddress(from.SendAsEmail) {
			return from.SendAsEmail, nil
		}
	}
	return "", &Error{Method: "sendAs.list", Kind: KindProtocol, Message: "no primary address"}
}

// loginError says what it means that the browser brought no code.
func loginError(err error) *Error {
	e := &Error{Method: "login", Kind: KindCredentials, Message: err.Error(), Err: err}
	var refused *consentError
	switch {
	case errors.As(err, &refused):
		e.Detail, e.Reason = DetailConsent, refused.code
	case errors.Is(err, errOtherState):
		e.Detail = DetailLoginState
	case errors.Is(err, context.DeadlineExceeded):
		e.Detail, e.Message = DetailLoginTimeout, "nobody logged in within 5 minutes"
	}
	return e
}
