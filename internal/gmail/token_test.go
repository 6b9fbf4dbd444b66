package gmail

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTokenErrors(t *testing.T) {
	tests := []struct {
		status int
		body   string
		want   error
		detail Detail
	}{
		{401, `{"error":"unauthorized_client","error_description":"Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."}`, ErrScope, DetailOtherDomain},
		{403, `{"error":"access_denied","error_description":"Requested client not authorized."}`, ErrScope, ""},
		{400, `{"error":"invalid_scope","error_description":"bad scope"}`, ErrScope, ""},
		{400, `{"error":"invalid_grant","error_description":"Invalid email or User ID"}`, ErrNoUser, ""},
		{400, `{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."}`, ErrCredentials, DetailClock},
		{400, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`, ErrCredentials, DetailKeyGone},
		{400, `{"error":"invalid_grant","error_description":"The account has been deleted"}`, ErrNoUser, DetailAccountGone},
		{400, `{"error":"invalid_grant","error_description":"Invalid grant: account not found"}`, ErrCredentials, DetailServiceAccountGone},
		{400, `{"error":"invalid_grant","error_description":"Robot is disabled."}`, ErrCredentials, DetailServiceAccountGone},
		{400, `{"error":"invalid_grant","error_description":"something new"}`, ErrCredentials, DetailGrant},
		{400, `{"error":"admin_policy_enforced","error_description":"no"}`, ErrDenied, ""},
		{400, `{"error":"invalid_request"}`, ErrCredentials, ""},
		{403, errorBody(403, "forbidden", "Permission 'iam.serviceAccounts.signJwt' denied"), ErrCredentials, DetailTokenCreator},
		{200, `<html>`, ErrProtocol, DetailTokenEndpoint},
		{200, `{}`, ErrProtocol, DetailTokenEndpoint},
		{200, `{"access_token":""}`, ErrProtocol, DetailTokenEndpoint},
		{302, ``, ErrProtocol, ""},
	}
	for _, test := range tests {
		f := newFake()
		f.fault = always("token", &fault{status: test.status, body: test.body})
		_, err := tryOpenFake(t, f, nil)
		var e *Error
		if !errors.Is(err, test.want) || !errors.As(err, &e) || e.Method != "token" || e.User != alice {
			t.Errorf("%s: got %v, want %v", test.body, err, test.want)
			continue
		}
		if e.Detail != test.detail {
			t.Errorf("%s: detail %q, want %q", test.body, e.Detail, test.detail)
		}
		if len(f.calls) != 1 {
			t.Errorf("%s: calls %q", test.body, f.calls)
		}
	}
}

func TestTokenIsRetried(t *testing.T) {
	for _, x := range []*fault{
		{status: 503, body: "<html>busy</html>"},
		{status: 500, body: `{"error":"internal_failure"}`},
		{status: 429, body: `{"error":"rate_limit_exceeded"}`},
		{status: 403, body: `{"error":"userRateLimitExceeded"}`},
		{status: 400, body: `{"error":"temporarily_unavailable"}`},
		{status: 403, body: errorBody(403, "rateLimitExceeded", "Quota exceeded")},
		{err: io.EOF},
		{err: io.EOF, lost: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.fault = onCall("token", 1, x)
			if _, err := tryOpenFake(t, f, nil); err != nil {
				t.Fatal(x, err)
			}
			if w := f.waits("token"); len(w) != 1 || w[0] < time.Second {
				t.Errorf("%v: waited %v", x, w)
			}
		})
	}
}

// TestAssertion looks into the signed assertion (RFC 7523), and verifies it.
func TestAssertion(t *testing.T) {
	f := newFake()
	var assertion string
	u := openFake(t, f, nil)
	u.domain.base = roundTripper(func(r *http.Request) (*http.Response, error) {
		if methodOf(r) == "token" {
			if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
				t.Error(r.PostForm, err)
			}
			assertion = r.PostForm.Get("assertion")
			r.Body = io.NopCloser(strings.NewReader(r.PostForm.Encode()))
		}
		return f.RoundTrip(r)
	})
	u.domain.keep(tokenKey{alice, Scope}, nil)
	if _, err := u.domain.User(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		t.Fatalf("%q", assertion)
	}
	decode := func(part string, into any) {
		data, err := base64.RawURLEncoding.DecodeString(part)
		if err == nil {
			err = json.Unmarshal(data, into)
		}
		if err != nil {
			t.Errorf("%s: %v", part, err)
		}
	}
	var header, claims map[string]any
	decode(parts[0], &header)
	decode(parts[1], &claims)
	if header["alg"] != "RS256" || header["typ"] != "JWT" {
		t.Errorf("%v", header)
	}
	for name, want := range map[string]string{"sub": alice, "iss": "sa@p.iam.gserviceaccount.com", "aud": tokenURL, "scope": Scope} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %s", name, claims[name], want)
		}
	}
	issued, expires := claims["iat"].(float64), claims["exp"].(float64)
	if age := time.Since(time.Unix(int64(issued), 0)); expires-issued != 3600 || age < clockSlack || age > time.Hour {
		t.Errorf("issued at %v, expires at %v", issued, expires)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&u.domain.tokens.(*serviceAccount).signer.(*keySigner).key.(*rsa.PrivateKey).PublicKey, crypto.SHA256, digest[:], signature); err != nil {
		t.Error(err)
	}
}

func TestTokenIsRenewedWhenItRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		u := openFake(t, f, nil)
		for _, wait := range []time.Duration{0, 50 * time.Minute, 9*time.Minute + 40*time.Second} {
			time.Sleep(wait)
			if _, err := u.KeyPairs(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if f.tokens != 2 {
			t.Errorf("%d tokens", f.tokens)
		}
	})
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	f := newFake()
	f.fault = onCall("keypairs.list", 1, refusal(401, "authError", "Invalid Credentials"))
	u := openFake(t, f, nil)
	if _, err := u.KeyPairs(t.Context()); err != nil || f.tokens != 2 {
		t.Errorf("%v, %d tokens", err, f.tokens)
	}
	f.fault = always("keypairs.list", refusal(401, "authError", "Invalid Credentials"))
	f.calls = nil
	if _, err := u.KeyPairs(t.Context()); !errors.Is(err, ErrCredentials) || f.count("keypairs.list") != 2 {
		t.Errorf("%v, calls %q", err, f.calls)
	}
}

func TestOneTokenForAllGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		u := openFake(t, f, nil)
		time.Sleep(2 * time.Hour)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := u.KeyPairs(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if f.tokens != 2 {
			t.Errorf("%d tokens", f.tokens)
		}
	})
}

func TestUserNeedsAnAddress(t *testing.T) {
	f := newFake()
	u := openFake(t, f, nil)
	for _, email := range []string{"", "alice", "Alice <alice@example.org>", "a@b@c", "alice@example.org\x1b[31m", " alice@example.org"} {
		if _, err := u.domain.User(t.Context(), email); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", email, err)
		}
	}
}

// TestTokensAreKept: a user who is opened again needs no further token, another one does.
func TestTokensAreKept(t *testing.T) {
	f := newFake()
	d := openFake(t, f, nil).domain
	for range 2 {
		u, err := d.User(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.KeyPairs(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.count("token"); n != 1 {
		t.Errorf("%d tokens for one user", n)
	}
	if _, err := d.User(t.Context(), "bob@example.org"); err != nil {
		t.Fatal(err)
	}
	if n := f.count("token"); n != 2 {
		t.Errorf("%d tokens for two users", n)
	}
}
