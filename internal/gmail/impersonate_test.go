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
	_, err = d.User(t.Context(), alice)
	var e *Error
	if !errors.Is(err, ErrCredentials) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "serviceAccountTokenCreator") {
		t.Error(err)
	}
}

func TestImpersonationWithoutMachineCredentials(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none.json"))
	d, err := open(Config{Impersonate: "sa@p.iam.gserviceaccount.com", Endpoint: apiURL}, newFake())
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.User(t.Context(), alice)
	var e *Error
	if !errors.Is(err, ErrCredentials) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "gcloud") {
		t.Error(err)
	}
}
