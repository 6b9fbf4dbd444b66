package gmail

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/option"

	api "google.golang.org/api/gmail/v1"

	"github.com/cse-piv/cse-piv/internal/logging"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/sleep"
)

// DefaultEndpoint is where Google serves the Gmail API.
const DefaultEndpoint = "https://gmail.googleapis.com/"

// Scope is the one OAuth scope asked for. It covers key pairs and identities,
// reading and writing (Gmail API discovery document, users.settings.cse).
const Scope = api.GmailSettingsBasicScope

// iamEndpoint is where Google serves the IAM Credentials API.
const iamEndpoint = "https://iamcredentials.googleapis.com/"

const (
	defaultRetryBase   = time.Second
	defaultMaxTries    = 8
	defaultMaxElapsed  = 5 * time.Minute
	defaultCallTimeout = 60 * time.Second
)

// Config says how to reach Gmail for one domain.
type Config struct {
	// CredentialsFile is a service-account key file (JSON). The account needs
	// domain-wide delegation for Scope.
	CredentialsFile string
	// Impersonate is the address of a service account to act through without a
	// key file, with the application default credentials of this machine, which
	// need roles/iam.serviceAccountTokenCreator on it. CredentialsFile is empty then.
	Impersonate string
	// ServiceAccount is the address of a service account whose key Signer has, RSA and
	// known to Google by its certificate. SignerName says where the key is. Each
	// token takes a signature.
	ServiceAccount string
	Signer         crypto.Signer
	SignerName     string
	// Directory is the address of an administrator who may read users, as whom the
	// Directory API is asked about each user before Gmail is, with a token of its own for
	// DirectoryScope; empty: it is not asked. A Login cannot.
	Directory string
	// Login is that of the one user who acts for nobody else.
	Login *Login
	// AuthEndpoint is where the token endpoint and the IAM Credentials API are, for
	// credentials that do not say it themselves; empty means Google's. Plain http is
	// accepted for loopback addresses only.
	AuthEndpoint string
	// Endpoint is the root of the API, and where it is not DefaultEndpoint also of the
	// Directory API; empty means DefaultEndpoint. Plain http is accepted for loopback
	// addresses only.
	Endpoint string
	// UserAgent is appended to the client's own.
	UserAgent string

	// RetryBase is the shortest wait before a second try (default 1 s); later
	// waits grow from it: min(2^n + random ≤ 1, 32) times RetryBase.
	RetryBase time.Duration
	// MaxTries bounds how often one call is made (default 8).
	MaxTries int
	// MaxElapsed bounds one operation with all its calls and waits (default
	// 5 min). When the server asks for a longer wait, the operation ends with
	// the error, whose RetryAt tells when to come back.
	MaxElapsed time.Duration
	// CallTimeout bounds a single HTTP exchange (default 60 s).
	CallTimeout time.Duration
	// MaxConnections bounds the connections to one host; 0: no bound. A batch gives
	// the number of its users in flight and a few more.
	MaxConnections int
	// Pace, if set, is asked before each call of the API and each exchange of
	// credentials for a token, and returns when it may be made.
	Pace func(ctx context.Context) error
	// OnCall, if set, is told of each call that came to its end. It is called from
	// several goroutines at once.
	OnCall func(Call)
	// OnRetry, if set, is told about each failure that will be retried, and when.
	OnRetry func(method string, err error, in time.Duration)
	// Wait, if set, waits before a call that failed with err is made again, at most
	// for the time given, and reports whether it is to be made at all: a batch that
	// ends, or to which nobody answers, repeats no calls. An operation that is given
	// up so ends with err.
	Wait func(ctx context.Context, err error, in time.Duration) bool
	// Roots are the authorities that servers may have their certificates of; nil: the
	// system's.
	Roots *x509.CertPool
	// Transport carries the exchanges; nil: connections of the domain's own.
	Transport http.RoundTripper
}

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

// credentials opens those of the kind that the configuration names.
func (c Config) credentials() (tokenGranter, []string, error) {
	if c.AuthEndpoint != "" {
		if err := CheckURL(c.AuthEndpoint); err != nil {
			return nil, nil, &Error{Method: "endpoint", Kind: KindInvalid, Message: err.Error()}
		}
	}
	given := slices.DeleteFunc([]string{c.CredentialsFile, c.Impersonate, c.ServiceAccount}, func(s string) bool { return s == "" })
	switch {
	case len(given) > 1 || len(given) == 1 && c.Login != nil:
		return nil, nil, credentialsError(nil, "more than one kind of credentials given")
	case c.Login != nil:
		return c.Login, nil, nil
	case c.CredentialsFile != "":
		return readServiceAccount(c.CredentialsFile)
	case len(given) == 1 && !safetext.IsAddress(given[0]):
		return nil, nil, credentialsError(nil, "%q is not the address of a service account", safetext.Message(given[0]))
	case c.Impersonate != "":
		return c.impersonation(), nil, nil
	case c.ServiceAccount != "":
		return &serviceAccount{
			Credentials: Credentials{Kind: CredentialsSigner, Account: c.ServiceAccount, Source: c.SignerName},
			tokenURL:    c.tokenURL(), signer: &keySigner{key: c.Signer},
		}, nil, nil
	}
	err := credentialsError(nil, "no credentials given")
	err.Detail = DetailNoCredentials
	return nil, nil, err
}

func (c Config) impersonation() *serviceAccount {
	endpoint := cmp.Or(c.AuthEndpoint, iamEndpoint)
	return &serviceAccount{
		Credentials: Credentials{Kind: CredentialsImpersonation, Account: c.Impersonate, Source: machineFile()},
		tokenURL:    c.tokenURL(), signer: &iamSigner{account: c.Impersonate, endpoint: strings.TrimSuffix(endpoint, "/") + "/"},
	}
}

// tokenURL is the token endpoint for credentials that do not name one.
func (c Config) tokenURL() string {
	if c.AuthEndpoint == "" {
		return google.JWTTokenURL
	}
	return strings.TrimSuffix(c.AuthEndpoint, "/") + "/token"
}

func (c Config) withDefaults() Config {
	if c.Endpoint == "" {
		c.Endpoint = DefaultEndpoint
	}
	if !strings.HasSuffix(c.Endpoint, "/") {
		c.Endpoint += "/"
	}
	if c.RetryBase <= 0 {
		c.RetryBase = defaultRetryBase
	}
	if c.MaxTries <= 0 {
		c.MaxTries = defaultMaxTries
	}
	if c.MaxElapsed <= 0 {
		c.MaxElapsed = defaultMaxElapsed
	}
	if c.CallTimeout <= 0 {
		c.CallTimeout = defaultCallTimeout
	}
	if c.Wait == nil {
		c.Wait = func(ctx context.Context, _ error, d time.Duration) bool { return sleep.For(ctx, d) == nil }
	}
	return c
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

// CheckURL refuses what is no address to ask for a user's settings at: it accepts https anywhere,
// and http on this machine.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return errors.New("the address is not a URL") // not shown: there may be a password in it
	}
	raw = u.Redacted()
	switch {
	case u.Host == "" || u.User != nil:
		return fmt.Errorf("%q is not a plain URL with a host", safetext.Message(raw))
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%q is neither https nor plain http to this machine", safetext.Message(raw))
}
