// Package workspace is the practice lab's Google Workspace domain: an OAuth 2.0
// token endpoint that verifies service-account assertions, and the Gmail API's
// users.settings.cse.keypairs and users.settings.cse.identities, over HTTP.
//
// It is written from the Gmail API discovery document (v1, revision 20261005)
// and the OAuth RFCs, so that independent Google clients work against it. What
// the documents leave open is decided in the direction that the facts suggest
// and marked where it is decided.
package workspace

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config describes one practice domain.
type Config struct {
	// Domain is the primary domain, for example "lab.example". Every address
	// in it is a user until RemoveUser says otherwise.
	Domain string
	// TrustRoots are the root certificates that the domain trusts for S/MIME,
	// as an administrator would have added them.
	TrustRoots []*x509.Certificate
	// Clock gives the time; nil means time.Now. See Server.Advance.
	Clock func() time.Time
	// Fault is asked once for every call before it is handled; nil means fair
	// weather. It must be safe for concurrent use.
	Fault func(method, user string) Fault
	// Observe is told about every call just before its answer leaves (or is
	// lost), so that whoever has the answer finds the call counted: the method
	// as in Methods and the real time spent inside the server. It must be safe
	// for concurrent use.
	Observe func(method string, took time.Duration)
	// Key is the service account's key, RSA of at least 2048 bits; nil makes a
	// new one of 2048 bits.
	Key *rsa.PrivateKey
	// CRLTimeout bounds the time spent on fetching revocation lists for one
	// key pair; 0 means one second.
	CRLTimeout time.Duration
	// FetchCRLs has revocation lists fetched from wherever certificates say that
	// they are. Without it only those on loopback are: nothing leaves the machine.
	FetchCRLs bool
	// HTTPClient fetches revocation lists; nil means a client without proxy.
	HTTPClient *http.Client
	// StrictProfile enforces Google's published S/MIME certificate profile, as
	// for publicly trusted roots. Without it the roots count as added by the
	// administrator with the looser profile.
	StrictProfile bool
}

// Server is the practice domain. It is an http.Handler for the token endpoint
// (/token), the consent page (/o/oauth2/v2/auth), the Gmail API (/gmail/v1/...)
// and the users of the Directory API (/admin/directory/v1/...), safe for
// concurrent use, and keeps its state in memory.
type Server struct {
	config  Config
	account account
	client  *http.Client

	mu      sync.Mutex
	offset  time.Duration
	roots   []*x509.Certificate
	scopes  map[string]bool
	cse     map[string]bool // per address; "" is everyone else
	removed map[string]bool
	noHW    bool
	// the machine may not act through the service account
	noImpersonation bool
	consentDenied   bool
	otherState      bool
	skew            time.Duration // of the token endpoint's clock
	workload        string
	strict          bool
	limit           int
	windows         map[string]*window
	tokens          map[string]grant
	codes           map[string]authorization
	refresh         map[string]grant
	users           map[string]*mailbox
	listings        map[string]Listing
	aliases         map[string]string // of whom, by alias
	next            uint64

	followed atomic.Int64 // requests that followed a redirect
}

// Followed is how many requests followed a redirect that a hostile answer made.
func (s *Server) Followed() int64 { return s.followed.Load() }

// New returns a domain with CSE and hardware keys switched on, and domain-wide
// delegation given to its service account for gmail.settings.basic and
// gmail.settings.sharing.
func New(config Config) (*Server, error) {
	config.Domain = strings.ToLower(config.Domain)
	if config.Domain == "" || strings.ContainsAny(config.Domain, "@/ ") {
		return nil, fmt.Errorf("practice domain %q is not a domain name", config.Domain)
	}
	if config.Clock == nil {
		config.Clock = time.Now
	}
	if config.Fault == nil {
		config.Fault = func(string, string) Fault { return Fault{} }
	}
	if config.Observe == nil {
		config.Observe = func(string, time.Duration) {}
	}
	if config.CRLTimeout <= 0 {
		config.CRLTimeout = time.Second
	}
	if config.Key == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("make the service account's key: %w", err)
		}
		config.Key = key
	}
	account, err := newAccount(config.Key)
	if err != nil {
		return nil, err
	}
	s := &Server{
		config:  config,
		account: account,
		client:  crlClient(config),
		roots:   append([]*x509.Certificate(nil), config.TrustRoots...),
		cse:     map[string]bool{"": true},
		removed: map[string]bool{},
		strict:  config.StrictProfile,
		windows: map[string]*window{},
		tokens:  map[string]grant{},
		codes:   map[string]authorization{},
		refresh: map[string]grant{},
		users:   map[string]*mailbox{},

		listings: map[string]Listing{canonical("admin@" + config.Domain): {Admin: true}},
		aliases:  map[string]string{},

		workload: "lab-workload-" + randomID(24),
	}
	s.SetScopes(ScopeBasic, ScopeSharing)
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	endpoint, vars, ok := route(r)
	if !ok {
		switch {
		case r.URL.Path == authorizePath:
			s.serveAuthorize(w, r)
			return
		case strings.HasPrefix(r.URL.Path, certificatesPath):
			s.serveCertificates(w, r)
			return
		case isIAM(r.URL.Path):
			s.serveIAM(w, r)
			return
		case r.URL.Path == redirectedPath:
			s.followed.Add(1)
		}
		notFoundPage(w)
		return
	}
	start := time.Now()
	// The body is read before anything else, so that a fault never meets a
	// client that is still writing.
	body, ok := readBody(w, r, endpoint)
	if !ok {
		return
	}
	finish := s.outcome(r, endpoint, vars, body)
	s.config.Observe(endpoint.name, time.Since(start))
	finish(w)
}

// answer handles one call and returns what to send.
func (s *Server) answer(r *http.Request, endpoint *endpoint, vars map[string]string, body []byte) reply {
	if endpoint.name == "token" {
		return s.token(r, body)
	}
	return s.api(r, endpoint, vars, body)
}
