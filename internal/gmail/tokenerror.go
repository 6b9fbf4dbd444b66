package gmail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/format"
)

// classifyToken says what a failed token exchange means: from what the probe saw,
// since the OAuth libraries hand on text only.
func classifyToken(ctx context.Context, user string, p *probe, err error) *Error {
	var own *Error
	switch {
	case errors.As(err, &own):
		own.User = user
		return own
	case ctx.Err() != nil:
		return canceled("token", user, ctx)
	case p.err != nil:
		e := classifyTransport(ctx, "token", user, p.err)
		e.ambiguous = false // a token too many does no harm
		return e
	case p.status == 0:
		return &Error{Method: "token", User: user, Kind: KindCredentials, Message: err.Error(), Err: err}
	case p.status >= 200 && p.status < 300:
		return &Error{Method: "token", User: user, Status: p.status, Kind: KindProtocol, Message: noToken(p), Detail: DetailTokenEndpoint}
	}
	e := classifyTokenAnswer(p.status, p.header, p.body)
	e.Method, e.User = "token", user
	return e
}

// noToken says of a success that it brought no token, and from where: a proxy on the
// way likes to answer with a page of its own.
func noToken(p *probe) string {
	text := p.url + " gave no usable token"
	if media, _, err := mime.ParseMediaType(p.header.Get("Content-Type")); err == nil && media != "application/json" {
		text += ", but " + media
	}
	return text
}

// classifyTokenAnswer reads an OAuth error (RFC 6749 §5.2), or the error of the
// IAM Credentials API, which has the form of Google's other APIs.
func classifyTokenAnswer(status int, header http.Header, body []byte) *Error {
	var oauth struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(body, &oauth); err != nil || oauth.Error == "" {
		e := classifyAnswer(status, header, body)
		e.ambiguous = false
		if e.Kind == KindDenied || e.Kind == KindNotFound {
			e.Kind = KindCredentials
			e.Detail = DetailTokenCreator
		}
		return e
	}
	e := &Error{Status: status, Reason: oauth.Error, Message: oauth.Description}
	e.Kind, e.Detail = kindOfOAuth(oauth.Error, oauth.Description)
	if e.Detail == DetailClock {
		e.Message += clockText(header, time.Now())
	}
	switch {
	case status == http.StatusTooManyRequests, strings.Contains(oauth.Error, "rate_limit"), kindOfReason(oauth.Error) == KindRateLimited:
		e.Kind, e.transient = KindRateLimited, true
	case status >= 500 || oauth.Error == "temporarily_unavailable" || oauth.Error == "internal_failure" || oauth.Error == "server_error":
		e.Kind, e.transient = KindUnavailable, true
	}
	if e.transient {
		e.Detail = ""
		e.RetryAt = retryAt(header, &answer{Message: oauth.Description}, time.Now())
	}
	return e
}

// clockText says how far this machine's clock is from the server's, where its Date
// header (RFC 9110 section 6.6.1) tells.
func clockText(header http.Header, now time.Time) string {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return ""
	}
	off, direction := now.Sub(date).Round(time.Second), "ahead of"
	if off < 0 {
		off, direction = -off, "behind"
	}
	return fmt.Sprintf(" This machine's clock is %s %s the server's.", format.Duration(off), direction)
}

// kindOfOAuth sorts what Google's token endpoint says to a service account.
func kindOfOAuth(code, description string) (Kind, Detail) {
	d := strings.ToLower(description)
	switch code {
	case "unauthorized_client":
		// Also for whoever is of another domain; the answer does not say which.
		return KindScope, DetailOtherDomain
	case "access_denied", "invalid_scope":
		return KindScope, ""
	case "invalid_grant":
		switch {
		case strings.Contains(d, "invalid email or user id"), strings.Contains(d, "not a valid email"):
			return KindNoUser, ""
		case strings.Contains(d, "token must be a short-lived"), strings.Contains(d, "reasonable timeframe"), strings.Contains(d, "iat and exp"):
			return KindCredentials, DetailClock
		case strings.Contains(d, "signature"), strings.Contains(d, "no valid verifier"):
			return KindCredentials, DetailKeyGone
		case strings.Contains(d, "expired or revoked"):
			return KindCredentials, DetailLoginRevoked
		case strings.Contains(d, "account has been deleted"):
			return KindNoUser, DetailAccountGone
		case strings.Contains(d, "account not found"), strings.Contains(d, "disabled"):
			return KindCredentials, DetailServiceAccountGone
		}
		return KindCredentials, DetailGrant
	case "admin_policy_enforced", "org_internal":
		return KindDenied, ""
	}
	return KindCredentials, ""
}
