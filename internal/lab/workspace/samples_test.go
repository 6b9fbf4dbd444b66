package workspace_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

// sample reads a file that is kept beside the project, and skips where it is not.
func sample(t *testing.T, name string) []byte {
	t.Helper()
	path := filepath.Join("../../../../shared/samples", name)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("NOT TESTED: there is no %s: the lab's errors are not compared with Google's", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// compact is JSON without white space; the order of its fields stays.
func compact(t *testing.T, text []byte) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out.String()
}

// TestErrorsAreGoogles compares error bodies with those that Google sends, field
// by field and in their order.
func TestErrorsAreGoogles(t *testing.T) {
	l := newLab(t, workspace.Config{})
	file := l.keyFile(t)
	key, err := accountKey()
	if err != nil {
		t.Fatal(err)
	}
	good := l.token(t, alice, workspace.ScopeBasic)
	l.SetCSE("", false)
	l.SetScopes()
	get := func() (*http.Response, error) {
		request, err := http.NewRequest(http.MethodGet, l.url+pairsPath, nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+good)
		return http.DefaultClient.Do(request)
	}
	exchange := func() (*http.Response, error) {
		now := time.Now().Unix()
		token := sign(t, key, map[string]any{"alg": "RS256", "typ": "JWT"}, map[string]any{
			"iss": file.ClientEmail, "sub": alice, "aud": file.TokenURI, "scope": workspace.ScopeBasic, "iat": now, "exp": now + 3600,
		})
		return http.PostForm(l.url+"/token", url.Values{"grant_type": {jwtBearer}, "assertion": {token}})
	}
	for name, ask := range map[string]func() (*http.Response, error){
		"gmail/403-cse-not-enabled.json":           get,
		"gmail/401-token-unauthorized_client.json": exchange,
	} {
		t.Run(name, func(t *testing.T) {
			want := sample(t, name)
			response, err := ask()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			got, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if compact(t, got) != compact(t, want) {
				t.Errorf("the lab says\n%s\nGoogle\n%s", got, want)
			}
			if status := filepath.Base(name)[:3]; !strings.HasPrefix(response.Status, status) {
				t.Errorf("status %s", response.Status)
			}
		})
	}
}
