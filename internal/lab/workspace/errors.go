package workspace

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// apiError is an error of the Gmail API in Google's two formats at once: the
// canonical one (code, message, status, details: AIP-193) and the older list
// with domain and reason that the clients classify by.
type apiError struct {
	Code    int         `json:"code"`
	Message string      `json:"message"`
	Errors  []errorItem `json:"errors,omitempty"`
	Status  string      `json:"status,omitempty"`
	Details []any       `json:"details,omitempty"`

	header http.Header
}

type errorItem struct {
	Message      string `json:"message"`
	Domain       string `json:"domain,omitempty"`
	Reason       string `json:"reason"`
	Location     string `json:"location,omitempty"`
	LocationType string `json:"locationType,omitempty"`
}

// newError builds an error whose list has one entry in the domain "global".
func newError(code int, status, reason, message string) *apiError {
	return &apiError{
		Code:    code,
		Message: message,
		Status:  status,
		Errors:  []errorItem{{Message: message, Domain: "global", Reason: reason}},
	}
}

func invalidArgument(format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, "INVALID_ARGUMENT", "invalidArgument", fmt.Sprintf(format, args...))
}

func failedPrecondition(message string) *apiError {
	return newError(http.StatusBadRequest, "FAILED_PRECONDITION", "failedPrecondition", message)
}

func permissionDenied(reason, message string) *apiError {
	return newError(http.StatusForbidden, "PERMISSION_DENIED", reason, message)
}

func notFound() *apiError {
	return newError(http.StatusNotFound, "NOT_FOUND", "notFound", "Requested entity was not found.")
}

func alreadyExists(message string) *apiError {
	return newError(http.StatusConflict, "ALREADY_EXISTS", "alreadyExists", message)
}

// badRequest is what the API front end says before the method sees a request.
func badRequest(format string, args ...any) *apiError {
	message := fmt.Sprintf(format, args...)
	return &apiError{
		Code:    http.StatusBadRequest,
		Message: message,
		Status:  "INVALID_ARGUMENT",
		Errors:  []errorItem{{Message: message, Reason: "invalid"}},
		Details: []any{map[string]any{
			"@type":           "type.googleapis.com/google.rpc.BadRequest",
			"fieldViolations": []any{map[string]string{"description": message}},
		}},
	}
}

// unauthenticated is the answer to a missing, unknown or expired access token.
func unauthenticated(reason string) *apiError {
	message := "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential."
	item := errorItem{Message: "Invalid Credentials", Domain: "global", Reason: "authError"}
	challenge := `Bearer realm="https://accounts.google.com/", error="invalid_token"`
	if reason == "CREDENTIALS_MISSING" {
		message = "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential."
		item = errorItem{Message: "Login Required.", Domain: "global", Reason: "required"}
		challenge = `Bearer realm="https://accounts.google.com/"`
	}
	item.Location, item.LocationType = "Authorization", "header"
	return &apiError{
		Code:    http.StatusUnauthorized,
		Message: message,
		Status:  "UNAUTHENTICATED",
		Errors:  []errorItem{item},
		Details: []any{errorInfo(reason, "")},
		header:  http.Header{"Www-Authenticate": {challenge}},
	}
}

// insufficientScope is the answer to a token whose scopes the method does not
// accept.
func insufficientScope(rpc string) *apiError {
	return &apiError{
		Code:    http.StatusForbidden,
		Message: "Request had insufficient authentication scopes.",
		Status:  "PERMISSION_DENIED",
		Errors:  []errorItem{{Message: "Insufficient Permission", Domain: "global", Reason: "insufficientPermissions"}},
		Details: []any{errorInfo("ACCESS_TOKEN_SCOPE_INSUFFICIENT", rpc)},
		header:  http.Header{"Www-Authenticate": {`Bearer realm="https://accounts.google.com/", error="insufficient_scope"`}},
	}
}

// rateLimited is a usage limit, as 429 or 403; with a time, the message says
// when to come back.
func rateLimited(code int, reason string, until time.Time) *apiError {
	if reason == "" {
		reason = "rateLimitExceeded"
	}
	message := "User-rate limit exceeded."
	if reason == "rateLimitExceeded" && until.IsZero() {
		message = "Rate Limit Exceeded"
	}
	if !until.IsZero() {
		message += "  Retry after " + timestamp(until)
	}
	status := "RESOURCE_EXHAUSTED"
	if code == http.StatusForbidden {
		status = "PERMISSION_DENIED"
	}
	e := newError(code, status, reason, message)
	e.Errors[0].Domain = "usageLimits"
	return e
}

func errorInfo(reason, rpc string) map[string]any {
	metadata := map[string]string{"service": "gmail.googleapis.com"}
	switch {
	case strings.HasPrefix(rpc, directoryRPC):
		metadata = map[string]string{"service": "admin.googleapis.com", "method": rpc}
	case rpc != "":
		metadata["method"] = "caribou.api.proto.MailboxService." + rpc
	}
	return map[string]any{
		"@type":    "type.googleapis.com/google.rpc.ErrorInfo",
		"reason":   reason,
		"domain":   "googleapis.com",
		"metadata": metadata,
	}
}

// timestamp formats a time as the API does: RFC 3339 in UTC, milliseconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// reply is one HTTP answer; body is marshalled as JSON, nil means no content.
type reply struct {
	status int
	header http.Header
	body   any
	indent bool
}

func (e *apiError) reply(indent bool) reply {
	return reply{status: e.Code, header: e.header, body: map[string]any{"error": e}, indent: indent}
}

// send writes the reply. A client that went away is no error of the server's.
func (p reply) send(w http.ResponseWriter) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	if p.body == nil {
		w.WriteHeader(p.status)
		return
	}
	var body []byte
	var err error
	if p.indent {
		body, err = json.MarshalIndent(p.body, "", "  ")
	} else {
		body, err = json.Marshal(p.body)
	}
	if err != nil {
		http.Error(w, "marshal the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(p.status)
	_, _ = w.Write(append(body, '\n'))
}

// notFoundPage is what Google's front end shows for a path it does not know:
// not JSON, and clients have to live with it.
func notFoundPage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte("<!DOCTYPE html>\n<title>Error 404 (Not Found)</title>\n"))
}
