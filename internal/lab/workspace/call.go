package workspace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// call is one authorized Gmail call.
type call struct {
	ctx   context.Context
	user  string // canonical primary address
	id    string // key pair id or address from the path
	query url.Values
	body  []byte
}

// api authorizes a call and runs it.
func (s *Server) api(r *http.Request, e *endpoint, vars map[string]string, body []byte) reply {
	query := r.URL.Query()
	indent := true
	if pretty, err := strconv.ParseBool(query.Get("prettyPrint")); err == nil {
		indent = pretty
	}
	c := &call{ctx: r.Context(), id: vars["id"], query: query, body: body}
	if refused := checkQuery(e, query); refused != nil {
		return refused.reply(indent)
	}
	if len(body) != 0 && !isJSON(r.Header.Get("Content-Type")) {
		return badRequest("Invalid request: the body must be JSON.").reply(indent)
	}
	authorize := s.authorizeCall
	if e.directory {
		authorize = s.authorizeDirectory
	}
	if refused := authorize(r, e, vars["userId"], c); refused != nil {
		return refused.reply(indent)
	}
	result, refused := e.run(s, c)
	if refused != nil {
		return refused.reply(indent)
	}
	if result == nil {
		// Methods without a response in the discovery document.
		return reply{status: http.StatusNoContent}
	}
	return reply{status: http.StatusOK, header: http.Header{"Vary": {"Origin", "X-Origin", "Referer"}}, body: result, indent: indent}
}

// standardQuery are the parameters of every method ("parameters" at the top of
// the discovery document).
var standardQuery = []string{
	"$.xgafv", "access_token", "alt", "callback", "fields", "key", "oauth_token",
	"prettyPrint", "quotaUser", "uploadType", "upload_protocol",
}

func checkQuery(e *endpoint, query url.Values) *apiError {
	for name := range query {
		if !slices.Contains(standardQuery, name) && !slices.Contains(e.query, name) {
			return badRequest("Invalid JSON payload received. Unknown name %q: Cannot bind query parameter. Field '%s' could not be found in request message.", name, name)
		}
	}
	if alt := query.Get("alt"); alt != "" && alt != "json" {
		return badRequest("Invalid value %q for parameter alt: the practice lab answers in json only.", alt)
	}
	return nil
}

// bearer is the access token of a request: RFC 6750 section 2.1, or one of the
// query parameters of the discovery document.
func bearer(r *http.Request) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	query := r.URL.Query()
	if token := query.Get("access_token"); token != "" {
		return token
	}
	return query.Get("oauth_token")
}

// authorizeCall checks token, scope, user, CSE and rate, in that order, and
// sets the call's user.
func (s *Server) authorizeCall(r *http.Request, e *endpoint, userID string, c *call) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, refused := s.grantOf(r)
	if refused != nil {
		return refused
	}
	accepted := []string{ScopeBasic, ScopeSharing}
	if e.readOnly {
		accepted = append(accepted, ScopeReadonly, ScopeModify, ScopeMail)
	}
	if !g.covers(accepted) {
		return insufficientScope(e.rpc)
	}
	if g.subject == "" {
		// A service account has no mailbox of its own.
		return failedPrecondition("Precondition check failed.")
	}
	if userID != "me" && canonical(userID) != g.subject {
		return permissionDenied("forbidden", "Delegation denied for "+g.subject)
	}
	if !s.isUser(g.subject) || s.listing(g.subject).blocked() {
		return unauthenticated("ACCOUNT_STATE_INVALID")
	}
	if s.listing(g.subject).NoMailbox {
		return failedPrecondition("Mail service not enabled")
	}
	if !s.cseOn(g.subject) {
		return permissionDenied("forbidden", "CSE is not enabled.")
	}
	if s.limit > 0 {
		if until, over := s.overLimit(g.subject, s.now()); over {
			return rateLimited(http.StatusTooManyRequests, "rateLimitExceeded", until)
		}
	}
	c.user = g.subject
	return nil
}

// grantOf is what the access token of a request stands for. The caller holds mu.
func (s *Server) grantOf(r *http.Request) (grant, *apiError) {
	token := bearer(r)
	if token == "" {
		return grant{}, unauthenticated("CREDENTIALS_MISSING")
	}
	g, ok := s.tokens[token]
	if !ok {
		return grant{}, unauthenticated("ACCESS_TOKEN_TYPE_UNSUPPORTED")
	}
	if !s.now().Before(g.expires) {
		return grant{}, unauthenticated("ACCESS_TOKEN_EXPIRED")
	}
	return g, nil
}

// window counts one user's calls in one minute.
type window struct {
	start time.Time
	calls int
}

// overLimit counts a call. The caller holds mu.
func (s *Server) overLimit(user string, now time.Time) (until time.Time, over bool) {
	w := s.windows[user]
	if w == nil || now.Sub(w.start) >= time.Minute || now.Before(w.start) {
		w = &window{start: now}
		s.windows[user] = w
	}
	w.calls++
	return w.start.Add(time.Minute), w.calls > s.limit
}

// decode reads a JSON body into the message; like the API front end it refuses
// unknown names, other media types and trailing data. An empty body is an empty
// message.
func (c *call) decode(into any) *apiError {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(c.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return badRequest("Invalid JSON payload received. Unknown name %s: Cannot find field.", name)
		}
		return badRequest("Invalid JSON payload received. %s", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return badRequest("Invalid JSON payload received. Unexpected data after the message.")
	}
	return nil
}

// isJSON reports whether the content type is one that the front end reads as
// JSON.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}
