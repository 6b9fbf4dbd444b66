package workspace_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"google.golang.org/api/gmail/v1"
)

// errorBody is Google's error body in both formats.
type errorBody struct {
	Error struct {
		Code    int
		Message string
		Status  string
		Errors  []struct{ Message, Domain, Reason string }
		Details []struct {
			Type   string `json:"@type"`
			Reason string
		}
	}
}

// raw sends one request by hand.
func (l *lab) raw(t *testing.T, method, path, token, body string) (*http.Response, errorBody) {
	t.Helper()
	request, err := http.NewRequest(method, l.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var parsed errorBody
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(text, &parsed); err != nil {
			t.Fatalf("%s: %s: %v", path, text, err)
		}
	}
	return response, parsed
}

func (l *lab) token(t *testing.T, user string, scopes ...string) string {
	t.Helper()
	config, err := google.JWTConfigFromJSON(l.ServiceAccountJSON(l.url), scopes...)
	if err != nil {
		t.Fatal(err)
	}
	config.Subject = user
	token, err := config.TokenSource(t.Context()).Token()
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

const pairsPath = "/gmail/v1/users/me/settings/cse/keypairs"

func TestErrorBodies(t *testing.T) {
	l := newLab(t, workspace.Config{})
	l.SetScopes(workspace.ScopeBasic, workspace.ScopeReadonly)
	good := l.token(t, alice, workspace.ScopeBasic)
	reading := l.token(t, alice, workspace.ScopeReadonly)
	robot := l.token(t, "", workspace.ScopeBasic)
	for name, test := range map[string]struct {
		method, path, token, body string
		status                    int
		canonical, reason, detail string
	}{
		"no token":         {"GET", pairsPath, "", "", 401, "UNAUTHENTICATED", "required", "CREDENTIALS_MISSING"},
		"unknown token":    {"GET", pairsPath, "ya29.x", "", 401, "UNAUTHENTICATED", "authError", "ACCESS_TOKEN_TYPE_UNSUPPORTED"},
		"scope":            {"POST", pairsPath, reading, "{}", 403, "PERMISSION_DENIED", "insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"},
		"scope for enable": {"POST", pairsPath + "/x:enable", reading, "", 403, "PERMISSION_DENIED", "insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"},
		"another user":     {"GET", strings.Replace(pairsPath, "me", "bob%40lab.example", 1), good, "", 403, "PERMISSION_DENIED", "forbidden", ""},
		"robot's mailbox":  {"GET", pairsPath, robot, "", 400, "FAILED_PRECONDITION", "failedPrecondition", ""},
		"no such pair":     {"GET", pairsPath + "/x", good, "", 404, "NOT_FOUND", "notFound", ""},
		"not JSON":         {"POST", pairsPath, good, "{", 400, "INVALID_ARGUMENT", "invalid", ""},
		"two messages":     {"POST", pairsPath, good, "{}{}", 400, "INVALID_ARGUMENT", "invalid", ""},
		"unknown field":    {"POST", pairsPath, good, `{"pkcs8":"x"}`, 400, "INVALID_ARGUMENT", "invalid", ""},
		"unknown query":    {"GET", pairsPath + "?pagesize=3", good, "", 400, "INVALID_ARGUMENT", "invalid", ""},
		"validation":       {"POST", pairsPath + "?chainValidation=some", good, "{}", 400, "INVALID_ARGUMENT", "invalid", ""},
		"page size":        {"GET", pairsPath + "?pageSize=many", good, "", 400, "INVALID_ARGUMENT", "invalid", ""},
		"no chain":         {"POST", pairsPath, good, "{}", 400, "INVALID_ARGUMENT", "invalidArgument", ""},
	} {
		t.Run(name, func(t *testing.T) {
			response, body := l.raw(t, test.method, test.path, test.token, test.body)
			e := body.Error
			if response.StatusCode != test.status || e.Code != test.status || e.Status != test.canonical || e.Message == "" {
				t.Fatalf("%s %+v", response.Status, e)
			}
			if len(e.Errors) != 1 || e.Errors[0].Reason != test.reason || e.Errors[0].Message == "" {
				t.Errorf("errors %+v, want %s", e.Errors, test.reason)
			}
			if test.detail != "" && (len(e.Details) != 1 || e.Details[0].Reason != test.detail || e.Details[0].Type != "type.googleapis.com/google.rpc.ErrorInfo") {
				t.Errorf("details %+v, want %s", e.Details, test.detail)
			}
			if test.status == 401 && response.Header.Get("WWW-Authenticate") == "" {
				t.Error("no challenge")
			}
		})
	}
	if response, _ := l.raw(t, "GET", pairsPath, reading, ""); response.StatusCode != 200 {
		t.Errorf("listing with a reading scope: %s", response.Status)
	}
	if response, _ := l.raw(t, "GET", pairsPath+"?access_token="+good, "", ""); response.StatusCode != 200 {
		t.Errorf("token as a parameter: %s", response.Status)
	}
	for _, path := range []string{"/", "/gmail/v1/users/me/messages", "/gmail/v1/users//settings/cse/keypairs", pairsPath + "/a/b", "/gmail/v1/users/me/settings/cse/keys"} {
		if response, _ := l.raw(t, "GET", path, good, ""); response.StatusCode != 404 || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
	for _, request := range []string{"PUT " + pairsPath, "DELETE " + pairsPath + "/x", "POST " + pairsPath + "/x", "POST " + pairsPath + "/:enable", "POST " + pairsPath + "/x:delete", "GET " + pairsPath + "/%zz"} {
		method, path, _ := strings.Cut(request, " ")
		if strings.Contains(path, "%zz") {
			continue // not a URL that the client would send
		}
		if response, _ := l.raw(t, method, path, good, ""); response.StatusCode != 404 {
			t.Errorf("%s: %s", request, response.Status)
		}
	}
}

func TestTokensExpireByTheLabsClock(t *testing.T) {
	l := newLab(t, workspace.Config{})
	token := l.token(t, alice, workspace.ScopeBasic)
	l.Advance(59 * time.Minute)
	if response, _ := l.raw(t, "GET", pairsPath, token, ""); response.StatusCode != 200 {
		t.Errorf("after 59 minutes: %s", response.Status)
	}
	l.Advance(time.Minute)
	response, body := l.raw(t, "GET", pairsPath, token, "")
	if response.StatusCode != 401 || body.Error.Details[0].Reason != "ACCESS_TOKEN_EXPIRED" {
		t.Errorf("after an hour: %s %+v", response.Status, body.Error)
	}
	if time.Until(l.Now()) < 59*time.Minute {
		t.Error("the clock did not move")
	}
}

func TestDelegationCanBeTakenAway(t *testing.T) {
	l := newLab(t, workspace.Config{})
	l.SetScopes()
	_, err := l.cse(t, alice).Keypairs.List("me").Do()
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response.StatusCode != 401 || !strings.Contains(string(refused.Body), "unauthorized_client") {
		t.Errorf("without delegation: %v", err)
	}
}

func TestCSEOff(t *testing.T) {
	l := newLab(t, workspace.Config{})
	l.SetCSE("Alice@lab.example", false)
	_, err := l.cse(t, alice).Keypairs.List("me").Do()
	if e := wantError(t, err, 403, "forbidden"); e.Message != "CSE is not enabled." {
		t.Errorf("message %q", e.Message)
	}
	if _, err := l.cse(t, "bob@lab.example").Keypairs.List("me").Do(); err != nil {
		t.Errorf("for others: %v", err)
	}
	l.SetCSE("", false)
	_, err = l.cse(t, "bob@lab.example").Identities.List("me").Do()
	wantError(t, err, 403, "forbidden")
	l.SetCSE("", true)
	if _, err := l.cse(t, alice).Keypairs.List("me").Do(); err != nil {
		t.Errorf("on again: %v", err)
	}
}

func TestPrivateKeyMetadata(t *testing.T) {
	l := newLab(t, workspace.Config{})
	cse := l.cse(t, alice)
	chain := armor(t, l.issue(t, alice, ecKey(t), ca.Profile{})...)
	card := &gmail.HardwareKeyMetadata{Description: "card"}
	kacls := func(uri, data string) *gmail.KaclsKeyMetadata {
		return &gmail.KaclsKeyMetadata{KaclsUri: uri, KaclsData: data}
	}
	const uri = "https://kacls.example/v1"
	for name, test := range map[string]struct {
		metadata []*gmail.CsePrivateKeyMetadata
		ok       bool
	}{
		"card":          {[]*gmail.CsePrivateKeyMetadata{{HardwareKeyMetadata: card}}, true},
		"key service":   {[]*gmail.CsePrivateKeyMetadata{{KaclsKeyMetadata: kacls(uri, strings.Repeat("x", 8192))}}, true},
		"one of each":   {[]*gmail.CsePrivateKeyMetadata{{HardwareKeyMetadata: card}, {KaclsKeyMetadata: kacls(uri, "x")}}, true},
		"none":          {nil, false},
		"empty":         {[]*gmail.CsePrivateKeyMetadata{{}}, false},
		"both in one":   {[]*gmail.CsePrivateKeyMetadata{{HardwareKeyMetadata: card, KaclsKeyMetadata: kacls(uri, "x")}}, false},
		"too much data": {[]*gmail.CsePrivateKeyMetadata{{KaclsKeyMetadata: kacls(uri, strings.Repeat("x", 8193))}}, false},
		"no data":       {[]*gmail.CsePrivateKeyMetadata{{KaclsKeyMetadata: kacls(uri, "")}}, false},
		"no URI":        {[]*gmail.CsePrivateKeyMetadata{{KaclsKeyMetadata: kacls("", "x")}}, false},
	} {
		pair, err := cse.Keypairs.Create("me", &gmail.CseKeyPair{Pkcs7: chain, PrivateKeyMetadata: test.metadata}).Do()
		if !test.ok {
			wantError(t, err, 400, "invalidArgument")
		} else if err != nil || len(pair.PrivateKeyMetadata) != len(test.metadata) {
			t.Errorf("%s: %+v, %v", name, pair, err)
		}
	}
	l.SetHardwareKeys(false)
	_, err := cse.Keypairs.Create("me", hardware(chain)).Do()
	wantError(t, err, 403, "forbidden")
	l.SetHardwareKeys(true)
	if _, err := cse.Keypairs.Create("me", hardware(chain)).Do(); err != nil {
		t.Errorf("on again: %v", err)
	}
}

func TestRateLimit(t *testing.T) {
	l := newLab(t, workspace.Config{})
	l.SetRateLimit(2)
	cse := l.cse(t, alice)
	for range 2 {
		if _, err := cse.Keypairs.List("me").Do(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := cse.Keypairs.List("me").Do()
	e := wantError(t, err, 429, "rateLimitExceeded")
	_, when, ok := strings.Cut(e.Message, "User-rate limit exceeded.  Retry after ")
	if _, err := time.Parse(time.RFC3339, when); !ok || err != nil {
		t.Errorf("message %q", e.Message)
	}
	if _, err := l.cse(t, "bob@lab.example").Keypairs.List("me").Do(); err != nil {
		t.Errorf("another user: %v", err)
	}
	l.Advance(time.Minute)
	if _, err := cse.Keypairs.List("me").Do(); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}
