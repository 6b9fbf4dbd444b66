package gmail

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/oauth2"
	"google.golang.org/api/option"

	api "google.golang.org/api/gmail/v1"

	"github.com/cse-piv/cse-piv/internal/logging"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Domain is a set of credentials and the connections shared by its users. It is
// safe for concurrent use.
type Domain struct {
	config   Config
	tokens   tokenGranter
	base     http.RoundTripper
	close    func()
	warnings []string
	// directory is where users are looked up first; nil for nowhere.
	directory *directory

	mu    sync.Mutex
	known map[tokenKey]*oauth2.Token
}

// Open reads the credentials; it makes no network call. Errors match
// ErrCredentials, or ErrInvalid for an unusable endpoint.
func Open(config Config) (*Domain, error) {
	if config.Transport != nil {
		return open(config, config.Transport)
	}
	transport := newTransport(config.MaxConnections, config.Roots)
	d, err := open(config, transport)
	if err != nil {
		return nil, err
	}
	d.close = transport.CloseIdleConnections
	return d, nil
}

func open(config Config, base http.RoundTripper) (*Domain, error) {
	config = config.withDefaults()
	if err := CheckURL(config.Endpoint); err != nil {
		return nil, &Error{Method: "endpoint", Kind: KindInvalid, Message: err.Error()}
	}
	d := &Domain{config: config, base: logging.Transport(base), close: func() {}}
	var err error
	d.tokens, d.warnings, err = config.credentials()
	if err != nil {
		return nil, err
	}
	if config.Directory != "" {
		if d.directory, err = d.openDirectory(config.Directory); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// ForeignTokens returns where tokens are asked for, "" for an address of Google's:
// the "token_uri" of a service account's key decides that, or the configuration.
func (d *Domain) ForeignTokens() string {
	address := ""
	switch tokens := d.tokens.(type) {
	case *serviceAccount:
		address = tokens.tokenURL
	case *Login:
		address = tokens.client.tokenURL
	}
	u, err := url.Parse(address)
	if err == nil && u.Scheme == "https" && (u.Host == "accounts.google.com" || strings.HasSuffix(u.Host, ".googleapis.com")) {
		return ""
	}
	return safetext.Message(address)
}

// Warnings lists what is unsafe about the credentials but does not stop them
// from being used, one sentence each, with the command that repairs it.
func (d *Domain) Warnings() []string { return append([]string(nil), d.warnings...) }

// Credentials says with which credentials the domain acts for its users.
func (d *Domain) Credentials() Credentials { return d.tokens.credentials() }

// Close drops idle connections. Calls under way are not disturbed.
func (d *Domain) Close() error {
	d.close()
	return nil
}

// User returns a client acting as the user whose primary address is email. It
// fetches the user's access token (one HTTP call) where the domain has none, so that
// missing delegation or an unknown user shows here: the error matches ErrScope,
// ErrNoUser, ErrCredentials or ErrUnavailable. The token is renewed when it runs out.
// Where there is a directory, it is asked first, and who cannot have an identity is
// refused as CheckUsers says.
func (d *Domain) User(ctx context.Context, email string) (*User, error) {
	if !safetext.IsAddress(email) {
		return nil, &Error{Method: "token", Kind: KindInvalid, Message: fmt.Sprintf("%q is not an e-mail address", safetext.Message(email))}
	}
	id := email
	if login, own := d.tokens.(*Login); own {
		if login.address != "" && !strings.EqualFold(login.address, email) {
			return nil, &Error{Method: "token", User: email, Kind: KindCredentials, Detail: DetailOtherLogin, Message: safetext.Message(login.address) + " is logged in, who can act for nobody else"}
		}
		id = "me"
	}
	if d.directory != nil {
		if err := d.directory.check(ctx, email); err != nil {
			return nil, err
		}
	}
	u := d.subject(email, id, Scope)
	service, err := api.NewService(ctx, u.clientOptions(d.config.Endpoint)...)
	if err != nil {
		return nil, fmt.Errorf("prepare the Gmail client: %w", err)
	}
	service.UserAgent = d.config.UserAgent
	u.cse = service.Users.Settings.Cse
	if err := u.begin().ensureToken(ctx); err != nil {
		return nil, err
	}
	return u, nil
}

// subject is somebody for whom tokens of a scope are got.
func (d *Domain) subject(email, id, scope string) *User {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &User{domain: d, email: email, id: id, scope: scope, lock: make(chan struct{}, 1), token: d.known[tokenKey{email, scope}]}
}

// clientOptions are those of a client of Google's that acts as the user.
func (u *User) clientOptions(endpoint string) []option.ClientOption {
	client := &http.Client{Transport: &authorized{user: u, base: &bounded{base: u.domain.base}}, CheckRedirect: noRedirect}
	return []option.ClientOption{option.WithHTTPClient(client), option.WithEndpoint(endpoint), option.WithLogger(discardLogger())}
}

// keep remembers a token; nil forgets it.
func (d *Domain) keep(key tokenKey, token *oauth2.Token) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.known, key)
	if token == nil {
		return
	}
	if len(d.known) >= maxKnown {
		clear(d.known) // a batch comes by each user once
	}
	if d.known == nil {
		d.known = map[tokenKey]*oauth2.Token{}
	}
	d.known[key] = token
}

// maxKnown bounds the tokens that are remembered.
const maxKnown = 1000
