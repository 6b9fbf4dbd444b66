package workspace_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2/google"

	"github.com/cse-piv/cse-piv/internal/lab/ca"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

// TestHostileBodies reads each answer of a hostile server as any client would, and
// sees that the call was carried out.
func TestHostileBodies(t *testing.T) {
	w := newWeather()
	l := newLab(t, workspace.Config{Fault: w.fault})
	truth := l.enrolled(t, alice, ca.Profile{})
	config, err := google.JWTConfigFromJSON(l.ServiceAccountJSON(l.url), workspace.ScopeBasic)
	if err != nil {
		t.Fatal(err)
	}
	config.Subject = alice
	client := config.Client(t.Context())
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ask := func(method, path string, answer workspace.Body) (*http.Response, string) {
		t.Helper()
		w.set(method, workspace.Fault{Body: answer})
		defer w.set(method, workspace.Fault{})
		response, err := client.Get(l.url + "/gmail/v1/users/me/settings/cse/" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		start, err := io.ReadAll(io.LimitReader(response.Body, 200<<20))
		if err != nil && answer.Name != "bomb" {
			t.Errorf("%s: %v", answer.Name, err)
		}
		return response, string(start)
	}
	seen := map[string]bool{}
	for _, answer := range workspace.Bodies() {
		if seen[answer.Name] || answer.About == "" {
			t.Errorf("%q is there twice, or says nothing", answer.Name)
		}
		seen[answer.Name] = true
		if answer.Name == "slow" {
			continue // takes its time
		}
		response, body := ask("keypairs.list", "keypairs", answer)
		ok := response.StatusCode == http.StatusOK
		switch answer.Name {
		case "null", "array", "object":
			ok = body == map[string]string{"null": "null", "array": "[]", "object": "{}"}[answer.Name]
		case "no-content":
			ok = response.StatusCode == http.StatusNoContent
		case "later":
			ok = response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != ""
		case "redirect":
			ok = response.StatusCode == http.StatusTemporaryRedirect && strings.HasSuffix(response.Header.Get("Location"), "/redirected")
		case "no-id":
			ok = !strings.Contains(body, "keyPairId")
		case "other-leaf":
			ok = strings.Contains(body, "BEGIN CERTIFICATE") && !strings.Contains(body, jsonText(t, truth.Pem))
		case "disabled":
			ok = strings.Contains(body, `"disabled"`)
		case "kacls":
			ok = strings.Contains(body, "kaclsUri") && !strings.Contains(body, "hardwareKeyMetadata")
		case "other-id":
			ok = !strings.Contains(body, truth.KeyPairId)
		case "huge":
			ok = len(body) > 64<<20 && strings.Contains(body, truth.KeyPairId)
		case "bomb":
			ok = len(body) == 200<<20
		case "deep", "parts":
			ok = len(body) >= 5_000_000
		case "endless", "endless-new":
			ok = strings.Contains(body, "nextPageToken")
		}
		if !ok {
			t.Errorf("%s: %d, %.200s", answer.Name, response.StatusCode, body)
		}
	}
	if _, body := ask("keypairs.get", "keypairs/"+truth.KeyPairId, must(workspace.FindBody("no-state"))); strings.Contains(body, "enablementState") || !strings.Contains(body, truth.KeyPairId) {
		t.Errorf("one key pair: %s", body)
	}
	if _, found := workspace.FindBody("unheard-of"); found {
		t.Error("unheard of, and found")
	}
	if n := l.Followed(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

func must(body workspace.Body, _ bool) workspace.Body { return body }

func jsonText(t *testing.T, text string) string {
	t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(quoted)
}
