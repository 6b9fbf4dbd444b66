package workspace

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// grant is what an access token (or a refresh token) stands for.
type grant struct {
	subject   string // canonical address; "" is the service account itself, or a machine of the practice pool
	scopes    []string
	consented bool      // the user logged in
	expires   time.Time // by the lab's clock; zero for refresh tokens
}

// tokenLifetime is how long an access token lives, as Google reports it.
const tokenLifetime = 3599 * time.Second

// oauthError is the token endpoint's error body (RFC 6749 section 5.2).
type oauthError struct {
	status      int
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

func (e oauthError) reply() reply {
	header := http.Header{"Cache-Control": {"no-cache, no-store, max-age=0, must-revalidate"}}
	if e.status == http.StatusUnauthorized {
		header.Set("Www-Authenticate", "Bearer")
	}
	return reply{status: e.status, header: header, body: e, indent: true}
}

func invalidGrant(description string) oauthError {
	return oauthError{http.StatusBadRequest, "invalid_grant", description}
}

func invalidRequest(description string) oauthError {
	return oauthError{http.StatusBadRequest, "invalid_request", description}
}

// unauthorizedClient is what a missing delegation looks like.
func unauthorizedClient() oauthError {
	return oauthError{http.StatusUnauthorized, "unauthorized_client",
		"Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."}
}

// token is the token endpoint.
func (s *Server) token(r *http.Request, body []byte) reply {
	answer := s.tokenAnswer(r, body)
	answer.header.Set("Date", s.tokenTime().UTC().Format(http.TimeFormat))
	return answer
}

func (s *Server) tokenAnswer(r *http.Request, body []byte) reply {
	if r.Method != http.MethodPost {
		return oauthError{http.StatusMethodNotAllowed, "invalid_request", "Only POST is allowed."}.reply()
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return invalidRequest("Content-Type must be application/x-www-form-urlencoded.").reply()
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return invalidRequest("The request body is not a form.").reply()
	}
	switch grantType := form.Get("grant_type"); grantType {
	case "urn:ietf:params:oauth:grant-type:jwt-bearer",
		"assertion": // the name before RFC 7523, which google.golang.org/api/impersonate sends
		return s.tokenForAssertion(r, form.Get("assertion"))
	case "authorization_code":
		return s.tokenForCode(form)
	case "refresh_token":
		return s.tokenForRefresh(form)
	case "":
		return invalidRequest("Missing required parameter: grant_type").reply()
	default:
		return oauthError{http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: " + grantType}.reply()
	}
}

// tokenForAssertion is RFC 7523 section 2.1 with domain-wide delegation.
func (s *Server) tokenForAssertion(r *http.Request, token string) reply {
	if token == "" {
		return invalidRequest("Missing required parameter: assertion").reply()
	}
	a, err := parseAssertion(token)
	if err != nil {
		return invalidGrant("Invalid JWT: " + err.Error() + ".").reply()
	}
	if refused := s.checkAssertion(r, a); refused != nil {
		return refused.reply()
	}
	scopes := strings.Fields(a.claims.Scope)
	subject := canonical(a.claims.Subject)
	s.mu.Lock()
	defer s.mu.Unlock()
	if subject == s.account.email {
		subject = ""
	}
	if subject != "" {
		// Another domain gave this client nothing.
		if _, domain, ok := strings.Cut(subject, "@"); ok && domain != s.config.Domain {
			return unauthorizedClient().reply()
		}
		if !s.isUser(subject) || s.listing(subject).blocked() {
			// What Google says of a suspended user is not documented.
			return invalidGrant("Invalid email or User ID").reply()
		}
		for _, scope := range scopes {
			if !s.scopes[scope] {
				return unauthorizedClient().reply()
			}
		}
	}
	return s.issue(grant{subject: subject, scopes: scopes}, nil)
}

// checkAssertion verifies everything but who may act for whom. nil means fine.
func (s *Server) checkAssertion(r *http.Request, a *assertion) *oauthError {
	refuse := func(e oauthError) *oauthError { return &e }
	if a.claims.Issuer != s.account.email {
		return refuse(invalidGrant("Invalid grant: account not found"))
	}
	if !s.signed(a) {
		return refuse(invalidGrant("Invalid JWT Signature."))
	}
	if audience := endpointURL(r); a.claims.Audience != audience {
		return refuse(invalidGrant("Invalid JWT: Failed audience check. The right audience is " + audience))
	}
	if !a.current(s.tokenTime()) {
		return refuse(invalidGrant("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."))
	}
	scopes := strings.Fields(a.claims.Scope)
	if len(scopes) == 0 {
		return refuse(oauthError{http.StatusBadRequest, "invalid_scope", "Empty or missing scope not allowed."})
	}
	for _, scope := range scopes {
		if !strings.HasPrefix(scope, "https://") {
			return refuse(oauthError{http.StatusBadRequest, "invalid_scope",
				"Some requested scopes were invalid. {valid=[], invalid=[" + scope + "]}"})
		}
	}
	return nil
}

// signed reports whether a key of the service account signed the assertion: the one that
// it names, or any where it names none.
func (s *Server) signed(a *assertion) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, key := range s.account.keys {
		if (a.header.KeyID == "" || a.header.KeyID == id) && a.signedBy(key) {
			return true
		}
	}
	return false
}

// tokenTime is the time by the token endpoint's clock.
func (s *Server) tokenTime() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config.Clock().Add(s.skew)
}

// endpointURL is the token endpoint's URL as the client sees it.
func endpointURL(r *http.Request) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host + tokenPath
}

// issue stores a new access token and answers with it (RFC 6749 section 5.1)
// and with extra fields. The caller holds mu.
func (s *Server) issue(g grant, extra map[string]any) reply {
	now := s.now()
	for token, old := range s.tokens {
		// Kept a while after its end, so that its user is still known.
		if now.Sub(old.expires) > time.Hour {
			delete(s.tokens, token)
		}
	}
	g.expires = now.Add(tokenLifetime)
	token := "ya29.lab." + randomID(32)
	s.tokens[token] = g
	body := map[string]any{
		"access_token": token,
		"expires_in":   int(tokenLifetime / time.Second),
		"token_type":   "Bearer",
		"scope":        strings.Join(g.scopes, " "),
	}
	for name, value := range extra {
		body[name] = value
	}
	return reply{
		status: http.StatusOK,
		header: http.Header{"Cache-Control": {"no-cache, no-store, max-age=0, must-revalidate"}},
		body:   body,
		indent: true,
	}
}

// subjectOf reads the subject of a token request without verifying it.
func subjectOf(body []byte) string {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	a, err := parseAssertion(form.Get("assertion"))
	if err != nil {
		return ""
	}
	return canonical(a.claims.Subject)
}

// covers reports whether the grant has one of the accepted scopes.
func (g grant) covers(accepted []string) bool {
	return slices.ContainsFunc(g.scopes, func(scope string) bool { return slices.Contains(accepted, scope) })
}
