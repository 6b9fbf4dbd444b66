package gmail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
)

func TestClassifyTransport(t *testing.T) {
	wrap := func(err error) error { return &url.Error{Op: "Post", URL: apiURL, Err: err} }
	tests := []struct {
		err                  error
		transient, ambiguous bool
	}{
		{wrap(&net.OpError{Op: "dial", Err: errors.New("connection refused")}), true, false},
		{wrap(&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}), true, true},
		{wrap(&net.DNSError{Name: "gmail.googleapis.com", IsNotFound: true}), true, false},
		{wrap(&tls.CertificateVerificationError{Err: errors.New("unknown authority")}), false, false},
		{wrap(context.DeadlineExceeded), true, true},
		{errBodyTooLarge, false, true},
	}
	for _, test := range tests {
		e := classify(t.Context(), "keypairs.create", alice, test.err)
		if e.transient != test.transient || e.ambiguous != test.ambiguous || e.Status != 0 {
			t.Errorf("%v: %+v", test.err, e)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e := classify(ctx, "keypairs.create", alice, wrap(context.Canceled)); !errors.Is(e, context.Canceled) || e.transient {
		t.Errorf("%+v", e)
	}
}

func TestNewerErrorForm(t *testing.T) {
	body := `{"error":{"code":403,"message":"Request had insufficient authentication scopes.","status":"PERMISSION_DENIED",
		"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT","domain":"googleapis.com"}]}}`
	if e := classifyAnswer(403, nil, []byte(body)); e.Kind != KindScope || e.transient {
		t.Errorf("%+v", e)
	}
	body = `[{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED",
		"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"12.5s"}]}}]`
	const wait = 12500 * time.Millisecond
	began := time.Now()
	e := classifyAnswer(429, nil, []byte(body))
	if e.Kind != KindRateLimited || !e.transient || e.RetryAt.Before(began.Add(wait)) || e.RetryAt.After(time.Now().Add(wait)) {
		t.Errorf("%+v, at %v", e, began)
	}
}

// TestReasonsDecide: what status and text alone would take for something else.
func TestReasonsDecide(t *testing.T) {
	quota := `{"error":{"code":403,"message":"Quota exceeded","errors":[{"domain":"usageLimits","reason":"%s"}],"status":"PERMISSION_DENIED"}}`
	for _, test := range []struct {
		status    int
		body      string
		kind      Kind
		transient bool
	}{
		{403, errorBody(403, "forbidden", "CSE is not enabled."), KindCSEOff, false},
		{400, errorBody(400, "failedPrecondition", "Client-side encryption is turned off for this user."), KindCSEOff, false},
		{400, errorBody(400, "failedPrecondition", "The CSE key pair kp1 is not enabled."), KindPrecondition, false},
		{403, `{"error":{"code":403,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}`, KindRateLimited, true},
		{403, fmt.Sprintf(quota, "forbidden"), KindRateLimited, true},
		{403, fmt.Sprintf(quota, "accessNotConfigured"), KindAPIDisabled, false},
		{403, errorBody(403, "forbidden", "Delegation denied for a@example.org"), KindDenied, false},
		{401, `{"error":{"code":401,"message":"Request had invalid authentication credentials.","status":"UNAUTHENTICATED",
			"errors":[{"domain":"global","reason":"authError"}],"details":[{"reason":"ACCOUNT_STATE_INVALID"}]}}`, KindNoUser, false},
		{401, errorBody(401, "authError", "Invalid Credentials"), KindCredentials, false},
	} {
		e := classifyAnswer(test.status, nil, []byte(test.body))
		if e.Kind != test.kind || e.transient != test.transient || !e.RetryAt.IsZero() {
			t.Errorf("%s: %+v, want %s", test.body, e, test.kind)
		}
	}
}

// TestUsedUpDay is not asked for again before the next one, whose time is named.
func TestUsedUpDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins on 1 January 2000 at midnight
		for _, want := range []string{"2000-01-01 08:00:00 UTC", "2000-01-02 08:00:00 UTC"} {
			e := classifyAnswer(403, nil, []byte(errorBody(403, "dailyLimitExceeded", "Daily Limit Exceeded")))
			if e.Kind != KindRateLimited || e.transient || e.RetryAt.UTC().Format("2006-01-02 15:04:05 UTC") != want {
				t.Errorf("%+v, want %s", e, want)
			}
			time.Sleep(8 * time.Hour)
		}
	})
}

func TestErrorsAreCleaned(t *testing.T) {
	body := errorBody(400, "invalid\x1b[2JArgument", "bad \x1b]0;title\x07chain\r\n\u202eevil\u2028 "+strings.Repeat("x", 5000))
	e := classifyAnswer(400, nil, []byte(body))
	e.Method, e.User = "keypairs.create", alice
	text := e.Error()
	for _, r := range text {
		if !unicode.IsPrint(r) {
			t.Fatalf("%q", text)
		}
	}
	if !strings.HasPrefix(text, "keypairs.create for alice@example.org: 400 invalidArgument: bad chain evil x") || len(text) > 1000 {
		t.Errorf("%q", text)
	}
}

func TestErrorText(t *testing.T) {
	for _, test := range []struct {
		e    *Error
		want string
	}{
		{&Error{Method: "token", Kind: KindScope}, "token: domain-wide delegation or scope is missing"},
		{&Error{Method: "token", User: alice, Err: errors.New("cause")}, "token for alice@example.org: cause"},
		{&Error{Method: "keypairs.get", Status: 404, Reason: "notFound", Kind: KindNotFound, Message: "Not here."}, "keypairs.get: 404 notFound: Not here."},
		{&Error{Method: "keypairs.get", Status: 418, Kind: KindOther}, "keypairs.get: 418"},
	} {
		if got := test.e.Error(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// FuzzAnswer feeds the bodies of errors to both classifiers.
func FuzzAnswer(f *testing.F) {
	f.Add(403, "40", errorBody(403, "rateLimitExceeded", "Retry after 2026-09-11T20:00:00.000Z"))
	f.Add(400, "", `{"error":"invalid_grant","error_description":"x"}`)
	f.Add(503, "Fri, 11 Sep 2026 20:00:00 GMT", "<html>")
	f.Add(500, "", `[{"error":null}]`)
	f.Add(429, "", `{"error":{"details":[{"retryDelay":"1e99h"}]}}`)
	f.Fuzz(func(t *testing.T, status int, after, body string) {
		header := http.Header{"Retry-After": {after}}
		for _, e := range []*Error{classifyAnswer(status, header, []byte(body)), classifyTokenAnswer(status, header, []byte(body))} {
			if e.Kind == "" || e.ambiguous && e.Kind != KindUnavailable {
				t.Fatalf("%+v", e)
			}
			if !e.RetryAt.IsZero() && time.Until(e.RetryAt) > maxRetryAfter {
				t.Fatalf("waits until %v", e.RetryAt)
			}
			for _, r := range fmt.Sprint(e, e.Detail) {
				if !unicode.IsPrint(r) {
					t.Fatalf("%q", e.Error())
				}
			}
		}
	})
}
