package gmail

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	api "google.golang.org/api/gmail/v1"

	"github.com/cse-piv/cse-piv/internal/logging"
)

// User acts as one user of the domain. It is safe for concurrent use.
type User struct {
	domain *Domain
	email  string
	id     string // in paths of the API: the address, or "me"
	scope  string // of the tokens
	cse    *api.UsersSettingsCseService

	lock  chan struct{} // held while a token is fetched
	mu    sync.Mutex
	token *oauth2.Token
}

// Email is the primary address the user was opened with.
func (u *User) Email() string { return u.email }

func (u *User) tokenKey() tokenKey { return tokenKey{u.email, u.scope} }

func (u *User) accessToken() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.token == nil {
		return ""
	}
	return u.token.AccessToken
}

func (u *User) hasToken() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	// A token about to run out could do so on the way.
	return u.token != nil && (u.token.Expiry.IsZero() || time.Until(u.token.Expiry) > 30*time.Second)
}

func (u *User) setToken(t *oauth2.Token) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.token = t
	u.domain.keep(u.tokenKey(), t)
}

// dropToken forgets the token with which a call was refused, unless another
// goroutine has replaced it meanwhile.
func (u *User) dropToken(refused string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.token != nil && u.token.AccessToken == refused {
		u.token = nil
		u.domain.keep(u.tokenKey(), nil)
	}
}

// ensureToken fetches a token if there is none that still lives, retrying what
// may pass.
func (o *operation) ensureToken(ctx context.Context) error {
	u := o.user
	select {
	case u.lock <- struct{}{}:
		defer func() { <-u.lock }()
	case <-ctx.Done():
		return canceled("token", u.email, ctx)
	}
	for n := 1; !u.hasToken(); n++ {
		e := o.fetchToken(o.trying(ctx, n))
		if e == nil {
			return nil
		}
		if err := o.pause(ctx, n, e); err != nil {
			return err
		}
	}
	return nil
}

// trying returns a context in whose log each line says for whom a call is made, and how
// often already.
func (o *operation) trying(ctx context.Context, n int) context.Context {
	if !logging.Says(ctx, logging.Email) { // the directory is asked as somebody else
		ctx = logging.Adding(ctx, logging.Email, o.user.email)
	}
	return logging.Adding(ctx, logging.Attempt, n)
}

func (o *operation) fetchToken(ctx context.Context) *Error {
	if o.pace(ctx) != nil {
		return canceled("token", o.user.email, ctx)
	}
	began := time.Now()
	e := o.exchangeToken(ctx)
	o.config.ended("token", began, e)
	return e
}

// exchangeToken exchanges the domain's credentials for a token of the user.
func (o *operation) exchangeToken(ctx context.Context) *Error {
	u := o.user
	callCtx, cancel := context.WithTimeout(ctx, o.config.CallTimeout)
	defer cancel()
	p := &probe{ctx: callCtx, base: &bounded{base: u.domain.base}}
	token, err := u.domain.tokens.grant(p, u.email, u.scope)
	if err == nil && (!isToken(token.AccessToken) || !token.Expiry.IsZero() && !token.Expiry.After(time.Now())) {
		return &Error{Method: "token", User: u.email, Status: p.status, Kind: KindProtocol, Message: noToken(p), Detail: DetailTokenEndpoint}
	}
	if err != nil {
		return u.named(classifyToken(ctx, u.email, p, err))
	}
	u.setToken(token)
	return nil
}

// named adds to missing delegation whom an administrator has to authorise.
func (u *User) named(e *Error) *Error {
	if e.Kind != KindScope {
		return e
	}
	e.Scope = u.scope
	switch account := u.domain.tokens.(type) {
	case *serviceAccount:
		e.Account, e.ClientID = account.Account, account.clientID
	case *Login:
		e.Detail = DetailLoginScope
	}
	return e
}

// isToken reports whether an access token fits into a header (RFC 6750 section
// 2.1, with room for what servers make of it). Google's have some 200 characters.
func isToken(s string) bool {
	return s != "" && len(s) <= 16<<10 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// attempt makes one API call within its time limit. A refused token is
// exchanged for a new one once.
func (o *operation) attempt(ctx context.Context, method string, call func(context.Context) error) *Error {
	for renewed := false; ; renewed = true {
		if err := o.ensureToken(ctx); err != nil {
			return asError("token", o.user.email, err)
		}
		used := o.user.accessToken()
		if err := o.pace(ctx); err != nil {
			return classify(ctx, method, o.user.email, err)
		}
		e := o.exchange(ctx, method, call)
		if e == nil {
			return nil
		}
		if e.Status != http.StatusUnauthorized || renewed {
			return o.user.named(e)
		}
		o.user.dropToken(used)
	}
}

// exchange makes one call, within its time limit.
func (o *operation) exchange(ctx context.Context, method string, call func(context.Context) error) (e *Error) {
	callCtx, cancel := context.WithTimeout(ctx, o.config.CallTimeout)
	defer cancel()
	began := time.Now()
	if err := call(callCtx); err != nil {
		e = classify(ctx, method, o.user.email, err)
	}
	o.config.ended(method, began, e)
	return e
}

// pace waits for the call's turn; the call's own time begins afterwards. It fails
// only when the context ends.
func (o *operation) pace(ctx context.Context) error {
	if o.config.Pace == nil {
		return nil
	}
	return o.config.Pace(ctx)
}

// read makes a call that changes nothing, until it succeeds or cannot.
func (o *operation) read(ctx context.Context, method string, call func(context.Context) error) error {
	for n := 1; ; n++ {
		e := o.attempt(o.trying(ctx, n), method, call)
		if e == nil {
			return nil
		}
		if e.Method == "token" {
			return e // retried already, as far as that helps
		}
		if err := o.pause(ctx, n, e); err != nil {
			return err
		}
	}
}

// mutate makes a call that changes something and must not be carried out twice.
// After an answer that leaves open whether it was carried out, or that says it
// was done before, done looks (it is told that error); only what is not there is
// sent again.
func (o *operation) mutate(ctx context.Context, method string, call func(context.Context) error, done func(context.Context, *Error) (bool, error)) error {
	for n := 1; ; n++ {
		e := o.attempt(o.trying(ctx, n), method, call)
		switch {
		case e == nil:
			return nil
		case e.Method == "token":
			return e
		case e.Kind == KindConflict:
			if ok, err := done(ctx, e); err != nil || ok {
				return err
			}
			return e
		}
		stop := o.pause(ctx, n, e)
		if e.ambiguous && ctx.Err() == nil {
			// Also when no try is left: the caller must learn the truth.
			ok, err := done(ctx, e)
			switch {
			case ok:
				return nil
			case err != nil && stop == nil:
				return err
			}
		}
		if stop != nil {
			return stop
		}
	}
}
