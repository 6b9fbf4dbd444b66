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
	"time"

	"golang.org/x/oauth2/google"

	api "google.golang.org/api/gmail/v1"

	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/sleep"
)

const (
	defaultRetryBase   = time.Second
	defaultMaxTries    = 8
	defaultMaxElapsed  = 5 * time.Minute
	defaultCallTimeout = 60 * time.Second
)

// DefaultEndpoint is where Google serves the Gmail API.
const DefaultEndpoint = "https://gmail.googleapis.com/"

// Scope is the one OAuth scope asked for. It covers key pairs and identities,
// reading and writing (Gmail API discovery document, users.settings.cse).
const Scope = api.GmailSettingsBasicScope

// iamEndpoint is where Google serves the IAM Credentials API.
const iamEndpoint = "https://iamcredentials.googleapis.com/"

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
