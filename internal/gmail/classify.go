package gmail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// asError returns the *Error in err, or wraps it as one.
func asError(method, user string, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Method: method, User: user, Kind: KindOther, Err: err}
}

// classify says what a failed API call means. ctx is the caller's context,
// without the call's own time limit.
func classify(ctx context.Context, method, user string, err error) *Error {
	var answered *googleapi.Error
	if errors.As(err, &answered) {
		e := classifyAnswer(answered.Code, answered.Header, []byte(answered.Body))
		e.Method, e.User = method, user
		return e
	}
	return classifyTransport(ctx, method, user, err)
}

// classifyTransport is for exchanges without a usable answer.
func classifyTransport(ctx context.Context, method, user string, err error) *Error {
	if ctx.Err() != nil {
		return canceled(method, user, ctx)
	}
	e := &Error{Method: method, User: user, Kind: KindUnavailable, Message: safetext.NetworkError(err), Err: err, transient: true, ambiguous: true}
	var (
		syntax     *json.SyntaxError
		wrongType  *json.UnmarshalTypeError
		dial       *net.OpError
		dns        *net.DNSError
		untrusted  *tls.CertificateVerificationError
		unknownCA  x509.UnknownAuthorityError
		tlsRecords tls.RecordHeaderError
		senseless  *protocolError
		refused    *safetext.ProxyError
	)
	switch {
	case errors.As(err, &senseless):
		e.Kind, e.Message, e.transient = KindProtocol, senseless.text, false
	case errors.Is(err, errBodyTooLarge), errors.Is(err, errBodyTooNested):
		e.Kind, e.transient = KindProtocol, false
	case errors.As(err, &syntax), errors.As(err, &wrongType):
		// Truncated JSON is a syntax error too, but a cut connection shows as an
		// unexpected EOF of the body before that.
		e.Kind, e.Message, e.transient = KindProtocol, "the answer is not the JSON of a Google API", false
	case errors.As(err, &untrusted), errors.As(err, &unknownCA), errors.As(err, &tlsRecords), errors.Is(err, http.ErrSchemeMismatch):
		e.transient, e.ambiguous = false, false
		e.Detail = DetailIntermediary
	case errors.As(err, &refused):
		e.ambiguous, e.Detail = false, DetailProxy
		e.transient = refused.Status >= 500 // it may reach the server later
		if refused.WantsCredentials() {
			e.Kind = KindCredentials
		}
	case errors.As(err, &dial) && dial.Op == "proxyconnect":
		e.ambiguous, e.Detail = false, DetailProxy
	case errors.As(err, &dns), errors.As(err, &dial) && dial.Op == "dial":
		e.ambiguous = false
	}
	return e
}

// answer is Google's error body in its two layers: the older errors[] with
// domain and reason, and the newer status and details[].
type answer struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Status  string `json:"status"`
	Errors  []struct {
		Message string `json:"message"`
		Domain  string `json:"domain"`
		Reason  string `json:"reason"`
	} `json:"errors"`
	Details []struct {
		Type       string `json:"@type"`
		Reason     string `json:"reason"`
		RetryDelay string `json:"retryDelay"`
	} `json:"details"`
}

// parseAnswer returns nil when body is not such an error.
func parseAnswer(body []byte) *answer {
	var reply struct {
		Error *answer `json:"error"`
	}
	if err := json.Unmarshal(body, &reply); err == nil && reply.Error != nil {
		return reply.Error
	}
	var list []struct {
		Error *answer `json:"error"`
	}
	if err := json.Unmarshal(body, &list); err == nil && len(list) > 0 {
		return list[0].Error
	}
	return nil
}

// reasons lists every machine-readable reason, the most specific first.
func (a *answer) reasons() []string {
	var all []string
	for _, d := range a.Details {
		if d.Reason != "" {
			all = append(all, d.Reason)
		}
	}
	for _, e := range a.Errors {
		if e.Reason != "" {
			all = append(all, e.Reason)
		}
	}
	if a.Status != "" {
		all = append(all, a.Status)
	}
	return all
}

func (a *answer) domain() string {
	if len(a.Errors) == 0 {
		return ""
	}
	return a.Errors[0].Domain
}

// shownReason is the one people find in Google's documentation.
func (a *answer) shownReason() string {
	if len(a.Errors) > 0 && a.Errors[0].Reason != "" {
		return a.Errors[0].Reason
	}
	if all := a.reasons(); len(all) > 0 {
		return all[0]
	}
	return ""
}

// classifyAnswer says what an error answer of the API means: by reason first,
// because one status stands for very different things, and by status only when
// no reason is known.
func classifyAnswer(status int, header http.Header, body []byte) *Error {
	if refused := safetext.CheckProxyAnswer(status); refused != nil {
		return &Error{Kind: KindCredentials, Message: refused.Error(), Detail: DetailProxy, Err: refused}
	}
	e := &Error{Status: status, Kind: KindOther}
	a := parseAnswer(body)
	if a == nil {
		e.Message = "the server answered " + http.StatusText(status) + ", but not as a Google API does"
		a = &answer{}
	} else {
		e.Message, e.Reason = a.Message, a.shownReason()
		if e.Message == "" && len(a.Errors) > 0 {
			e.Message = a.Errors[0].Message
		}
	}
	e.Kind = kindOfMessage(status, e.Message)
	for _, reason := range a.reasons() {
		if e.Kind != "" {
			break
		}
		e.Kind = kindOfReason(reason)
	}
	if (e.Kind == "" || e.Kind == KindDenied) && status == http.StatusForbidden && a.domain() == "usageLimits" {
		e.Kind = KindRateLimited
	}
	if e.Kind == "" {
		e.Kind = kindOfStatus(status, e.Reason != "")
	}
	switch e.Kind {
	case KindRateLimited:
		// Refused before anything was done.
		e.transient = true
	case KindUnavailable:
		e.transient, e.ambiguous = status != http.StatusNotImplemented, true
	}
	if e.transient {
		e.RetryAt = retryAt(header, a, time.Now())
	}
	switch {
	case e.Reason == "dailyLimitExceeded":
		e.transient, e.RetryAt = false, nextDay(time.Now())
	case e.Kind == KindNoUser:
		e.Detail = DetailAccountGone
	}
	return e
}

// kindOfMessage knows the refusals that only their text tells apart.
func kindOfMessage(status int, message string) Kind {
	m := strings.ToLower(message)
	off := strings.Contains(m, "not enabled") || strings.Contains(m, "disabled for") || strings.Contains(m, "turned off")
	// A key pair that is not enabled is another matter.
	off = off && !strings.Contains(m, "key pair") && !strings.Contains(m, "keypair")
	cse := strings.Contains(m, "cse ") || strings.Contains(m, "client-side encryption") || strings.Contains(m, "client side encryption")
	if (status == http.StatusForbidden || status == http.StatusBadRequest) && off && cse {
		return KindCSEOff
	}
	return ""
}

func kindOfReason(reason string) Kind {
	switch reason {
	case "rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "dailyLimitExceeded", "quotaExceeded", "concurrentLimitExceeded", "RESOURCE_EXHAUSTED":
		return KindRateLimited
	case "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions", "insufficientScopes":
		return KindScope
	case "accessNotConfigured", "SERVICE_DISABLED":
		return KindAPIDisabled
	case "ACCOUNT_STATE_INVALID":
		return KindNoUser // the token is the user's, and so is the account
	case "authError", "ACCESS_TOKEN_EXPIRED", "UNAUTHENTICATED":
		return KindCredentials
	case "notFound", "NOT_FOUND":
		return KindNotFound
	case "alreadyExists", "duplicate", "conflict", "ALREADY_EXISTS":
		return KindConflict
	case "failedPrecondition", "FAILED_PRECONDITION":
		return KindPrecondition
	case "domainPolicy", "permissionDenied", "forbidden":
		return KindDenied
	case "invalidArgument", "invalid", "badRequest", "INVALID_ARGUMENT":
		return KindInvalid
	case "backendError", "internalError", "ABORTED", "aborted", "UNAVAILABLE", "INTERNAL":
		return KindUnavailable
	}
	return ""
}

func kindOfStatus(status int, reasoned bool) Kind {
	switch {
	case status == http.StatusTooManyRequests:
		return KindRateLimited
	case status == http.StatusRequestTimeout || status >= 500:
		return KindUnavailable
	case status == http.StatusUnauthorized:
		return KindCredentials
	case !reasoned:
		// Not from the Gmail API at all: a proxy, or a wrong endpoint.
		return KindProtocol
	case status == http.StatusForbidden:
		return KindDenied
	case status == http.StatusNotFound:
		return KindNotFound
	case status == http.StatusConflict:
		return KindConflict
	case status == http.StatusPreconditionFailed:
		return KindPrecondition
	case status == http.StatusBadRequest:
		return KindInvalid
	}
	return KindOther
}
