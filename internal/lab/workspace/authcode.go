package workspace

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// authorizePath is where a user consents, as on accounts.google.com.
const authorizePath = "/o/oauth2/v2/auth"

// authorization is an authorization code's grant, waiting for its exchange.
type authorization struct {
	grant               grant
	client, redirectURI string
	challenge           string // PKCE S256, base64url
	expires             time.Time
}

// codeLifetime bounds the time between consent and exchange.
const codeLifetime = 10 * time.Minute

// serveAuthorize is the authorization endpoint for desktop apps (RFC 8252 with
// PKCE S256, RFC 7636). The practice user consents at once: login_hint says
// who that is, else it is ada. Problems with the client are shown as a page, others are sent
// to the redirect URI (RFC 6749 section 4.1.2.1).
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	redirect, err := url.Parse(query.Get("redirect_uri"))
	if err != nil || redirect.Scheme != "http" || !isLoopback(redirect.Hostname()) || redirect.User != nil {
		http.Error(w, "Error 400: redirect_uri_mismatch", http.StatusBadRequest)
		return
	}
	if query.Get("client_id") == "" {
		http.Error(w, "Error 400: invalid_request: Missing required parameter: client_id", http.StatusBadRequest)
		return
	}
	back := url.Values{}
	if state := query.Get("state"); state != "" {
		back.Set("state", s.stateSent(state))
	}
	if code, problem := s.authorize(query); problem != "" {
		back.Set("error", problem)
	} else {
		back.Set("code", code)
		back.Set("scope", query.Get("scope"))
	}
	// A redirect URI may carry a query of its own.
	if redirect.RawQuery != "" {
		redirect.RawQuery += "&"
	}
	redirect.RawQuery += back.Encode()
	http.Redirect(w, r, redirect.String(), http.StatusFound)
}

// SetConsent says how the person at the browser answers: denied, or so that what comes back
// has another state than was sent, as from a page that forges the answer.
func (s *Server) SetConsent(denied, otherState bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.consentDenied, s.otherState = denied, otherState
}

func (s *Server) stateSent(state string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.otherState {
		return randomID(16)
	}
	return state
}

// RevokeLogins takes back what people consented to: all tokens but those of the service
// account's making.
func (s *Server) RevokeLogins() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.refresh)
	for token, g := range s.tokens {
		if g.consented {
			delete(s.tokens, token)
		}
	}
}

// ClientJSON returns the client of a desktop app, as the Google Cloud console has it for
// download.
func (s *Server) ClientJSON(baseURL string) []byte {
	base := strings.TrimSuffix(baseURL, "/")
	// The marshaller cannot fail for maps of strings.
	file, _ := json.MarshalIndent(map[string]any{"installed": map[string]any{
		"client_id":     "42-lab.apps.googleusercontent.com",
		"project_id":    "practice-lab",
		"auth_uri":      base + authorizePath,
		"token_uri":     base + tokenPath,
		"client_secret": "GOCSPX-practice",
		"redirect_uris": []string{"http://localhost"},
	}}, "", "  ")
	return append(file, '\n')
}

// authorize makes a code, or names an error of RFC 6749 section 4.1.2.1.
func (s *Server) authorize(query url.Values) (code, problem string) {
	scopes := strings.Fields(query.Get("scope"))
	switch {
	case query.Get("response_type") != "code":
		return "", "unsupported_response_type"
	case query.Get("code_challenge_method") != "S256", len(query.Get("code_challenge")) != 43:
		return "", "invalid_request"
	case len(scopes) == 0:
		return "", "invalid_scope"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	user := canonical(query.Get("login_hint"))
	if user == "" {
		user = "ada@" + s.config.Domain // who is logged in at the browser
	}
	if s.consentDenied || !s.isUser(user) {
		return "", "access_denied"
	}
	now := s.now()
	for old, waiting := range s.codes {
		if now.After(waiting.expires) {
			delete(s.codes, old)
		}
	}
	code = "4/lab-" + randomID(24)
	s.codes[code] = authorization{
		grant:       grant{subject: user, scopes: scopes, consented: true},
		client:      query.Get("client_id"),
		redirectURI: query.Get("redirect_uri"),
		challenge:   query.Get("code_challenge"),
		expires:     now.Add(codeLifetime),
	}
	return code, ""
}

// tokenForCode is RFC 6749 section 4.1.3 with RFC 7636 section 4.6. A code
// works once.
func (s *Server) tokenForCode(form url.Values) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting, ok := s.codes[form.Get("code")]
	delete(s.codes, form.Get("code"))
	if !ok || s.now().After(waiting.expires) {
		return invalidGrant("Malformed auth code.").reply()
	}
	digest := sha256.Sum256([]byte(form.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(digest[:])
	switch {
	case subtle.ConstantTimeCompare([]byte(challenge), []byte(waiting.challenge)) != 1:
		return invalidGrant("Invalid code verifier.").reply()
	case form.Get("client_id") != waiting.client:
		return oauthError{http.StatusUnauthorized, "invalid_client", "Unauthorized"}.reply()
	case form.Get("redirect_uri") != waiting.redirectURI:
		return oauthError{http.StatusBadRequest, "redirect_uri_mismatch", "Bad Request"}.reply()
	}
	token := "1//lab-" + randomID(32)
	s.refresh[token] = waiting.grant
	return s.issue(waiting.grant, map[string]any{"refresh_token": token})
}

// tokenForRefresh is RFC 6749 section 6.
func (s *Server) tokenForRefresh(form url.Values) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.refresh[form.Get("refresh_token")]
	if !ok || !s.isUser(g.subject) {
		return invalidGrant("Token has been expired or revoked.").reply()
	}
	return s.issue(g, nil)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
