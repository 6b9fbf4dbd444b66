package workspace

import (
	"crypto/x509"
	"strings"
	"time"
)

// OAuth 2.0 scopes that the CSE methods accept (discovery document, "scopes"
// of each method). Basic and sharing may write; all five may read.
const (
	ScopeBasic    = "https://www.googleapis.com/auth/gmail.settings.basic"
	ScopeSharing  = "https://www.googleapis.com/auth/gmail.settings.sharing"
	ScopeReadonly = "https://www.googleapis.com/auth/gmail.readonly"
	ScopeModify   = "https://www.googleapis.com/auth/gmail.modify"
	ScopeMail     = "https://mail.google.com/"
)

// OAuth 2.0 scopes of which the Directory API accepts any for reading users (Admin SDK
// discovery document, directory_v1, "scopes" of users.get).
const (
	ScopeDirectory         = "https://www.googleapis.com/auth/admin.directory.user"
	ScopeDirectoryReadonly = "https://www.googleapis.com/auth/admin.directory.user.readonly"
)

// SetCSE switches client-side encryption on or off for one address, or for
// everyone when email is "" (which forgets earlier exceptions).
func (s *Server) SetCSE(email string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if email == "" {
		clear(s.cse)
	}
	s.cse[canonical(email)] = on
}

// SetScopes replaces the scopes that domain-wide delegation grants to the
// service account. A token request for any other scope is refused with
// unauthorized_client. Tokens that were issued before stay valid.
func (s *Server) SetScopes(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scopes = map[string]bool{}
	for _, scope := range scopes {
		s.scopes[scope] = true
	}
}

// SetClockSkew moves the clock of the token endpoint, by which assertions are judged and
// which its Date header shows, so that the clients' clocks are wrong by d the other way.
func (s *Server) SetClockSkew(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = d
}

// SetHardwareKeys switches hardware key encryption on or off for the domain.
// While it is off, key pairs with hardwareKeyMetadata are refused.
func (s *Server) SetHardwareKeys(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noHW = !on
}

// SetStrictProfile switches the enforcement of Google's published certificate
// profile on or off; see Config.StrictProfile.
func (s *Server) SetStrictProfile(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strict = on
}

// SetRateLimit bounds the Gmail calls per user and minute, by the lab's clock;
// 0, the default, means no limit. Calls above it get 429 with the time of the
// next try in the message, as Gmail does.
func (s *Server) SetRateLimit(perMinute int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = perMinute
	clear(s.windows)
}

// AddTrustRoot adds a root that the domain trusts.
func (s *Server) AddTrustRoot(root *x509.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roots = append(s.roots, root)
}

// RemoveUser makes an address of the domain one that nobody has.
func (s *Server) RemoveUser(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removed[canonical(email)] = true
}

// Advance moves the lab's clock forward by d (or back, when negative): access
// tokens, certificates and the 30 days before an obliteration are judged by it.
// Assertions are not, because the clients that write them stay in their own
// time and could never get a token again.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
}

// Now is the time by the lab's clock.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// now is Now for callers that hold mu.
func (s *Server) now() time.Time { return s.config.Clock().Add(s.offset) }

// canonical is the form under which addresses are compared: Gmail ignores case
// in both parts.
func canonical(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// isUser reports whether the canonical address belongs to a user of the
// domain. The caller holds mu.
func (s *Server) isUser(email string) bool {
	local, domain, ok := strings.Cut(email, "@")
	return ok && local != "" && domain == s.config.Domain &&
		!strings.ContainsAny(local, " \t\r\n<>,;:\"\\") && !s.removed[email] && s.aliases[email] == ""
}

// cseOn reports whether CSE is on for the canonical address. The caller holds
// mu.
func (s *Server) cseOn(email string) bool {
	if on, ok := s.cse[email]; ok {
		return on
	}
	return s.cse[""]
}
