package gmail

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestImpersonation goes the whole way without a key file: the machine's own
// token, a signature by the IAM Credentials API, the exchange for the user.
func TestImpersonation(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", writeAccount(t, accountJSON(nil)))
	f := newFake()
	refuse := false
	var hosts []string
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Host)
		if r.URL.Host != "iamcredentials.googleapis.com" {
			return f.RoundTrip(r)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		var request struct{ Payload string }
		var claims map[string]any
		if json.Unmarshal(body, &request) != nil || json.Unmarshal([]byte(request.Payload), &claims) != nil {
			t.Errorf("signJwt got %q", body)
		}
		if claims["sub"] != alice || claims["scope"] != Scope || claims["iss"] != "sa@p.iam.gserviceaccount.com" {
			t.Errorf("claims %v", claims)
		}
		if !strings.Contains(r.URL.Path, "sa@p.iam.gserviceaccount.com:signJwt") || r.Header.Get("Authorization") != "Bearer token-1" {
			t.Errorf("signJwt at %s with %s", r.URL.Path, r.Header.Get("Authorization"))
		}
		resp := &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(`{"keyId":"1","signedJwt":"a.b.c"}`))}
		if refuse {
			resp.StatusCode = 403
			resp.Body = io.NopCloser(strings.NewReader(errorBody(403, "forbidden", "Permission 'iam.serviceAccounts.signJwt' denied")))
		}
		return resp, nil
	})
	d, err := open(Config{Impersonate: "sa@p.iam.gserviceaccount.com", Endpoint: apiURL}, base)
	if err != nil {
		t.Fatal(err)
	}
	u, err := d.User(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(hosts, " "); got != "127.0.0.1:1 iamcredentials.googleapis.com oauth2.googleapis.com" {
		t.Errorf("hosts %s", got)
	}
	if pairs, err := u.KeyPairs(t.Context()); err != nil || len(pairs) != 0 {
		t.Error(pairs, err)
	}

	refuse = true
	d.keep(tokenKey{alice, Scope}, nil)
	_, err = d.User(t.Context(), alice)
	var e *Error
	if !errors.Is(err, ErrCredentials) || !errors.As(err, &e) || e.Detail != DetailTokenCreator {
		t.Error(err)
	}
}

func TestImpersonationWithoutMachineCredentials(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "none.json"), t.TempDir(), "/dev/zero"} {
		t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
		d, err := open(Config{Impersonate: "sa@p.iam.gserviceaccount.com", Endpoint: apiURL}, newFake())
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.User(t.Context(), alice)
		var e *Error
		if !errors.Is(err, ErrCredentials) || !errors.As(err, &e) || e.Detail != DetailMachine {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestNoRedirectIsFollowed: whoever may answer in the place of one of the servers
// cannot have credentials sent elsewhere.
func TestNoRedirectIsFollowed(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", writeAccount(t, accountJSON(func(m map[string]any) { m["token_uri"] = "https://machine.example/token" })))
	for _, config := range []Config{{CredentialsFile: writeAccount(t, accountJSON(nil))}, {Impersonate: "sa@p.iam.gserviceaccount.com"}} {
		for _, host := range []string{"127.0.0.1:1", "machine.example", "iamcredentials.googleapis.com", "oauth2.googleapis.com"} {
			f := newFake()
			asked := map[string]int{}
			base := roundTripper(func(r *http.Request) (*http.Response, error) {
				asked[r.URL.Host]++
				switch {
				case r.URL.Host == host && (host != "127.0.0.1:1" || methodOf(r) == "token"):
					return &http.Response{StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {"https://thief.example/token"}}, Body: http.NoBody, Request: r}, nil
				case r.URL.Host == "iamcredentials.googleapis.com":
					return &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(`{"keyId":"1","signedJwt":"a.b.c"}`))}, nil
				}
				return f.RoundTrip(r)
			})
			config.Endpoint = apiURL
			d, err := open(config, base)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = d.User(t.Context(), alice); (err == nil) == (asked[host] > 0) {
				t.Errorf("%s was asked %d times: %v", host, asked[host], err)
			}
			if asked["thief.example"] > 0 {
				t.Errorf("a redirect of %s was followed", host)
			}
		}
	}
}
