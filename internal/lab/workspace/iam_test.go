package workspace_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/impersonate"
	"google.golang.org/api/option"

	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

// asGoogle leads the requests for Google's hosts to the lab, which sees the names asked for.
type asGoogle struct {
	lab  *url.URL
	base http.RoundTripper
}

func (g asGoogle) RoundTrip(r *http.Request) (*http.Response, error) {
	host := r.URL.Host
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = g.lab.Scheme, g.lab.Host, host
	return g.base.RoundTrip(r)
}

// machineToken is what golang.org/x/oauth2 gets with the workload identity of the lab.
func machineToken(t *testing.T, l *lab, change func(string) string) (*oauth2.Token, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(l.WorkloadToken()), 0o600); err != nil {
		t.Fatal(err)
	}
	file := change(string(l.WorkloadIdentityJSON(l.url, path)))
	found, err := google.CredentialsFromJSONWithType(t.Context(), []byte(file), google.ExternalAccount, "https://www.googleapis.com/auth/cloud-platform")
	if err != nil {
		t.Fatal(err)
	}
	return found.TokenSource.Token()
}

// TestWorkloadIdentity: golang.org/x/oauth2 gets a token for the machine, one of the service
// account, and none with what the pool does not know.
func TestWorkloadIdentity(t *testing.T) {
	l := newLab(t, workspace.Config{})
	for name, change := range map[string]func(string) string{
		"": func(file string) string { return file },
		"through the service account": func(file string) string {
			return strings.Replace(file, "{", `{"service_account_impersonation_url": "`+l.url+"/v1/projects/-/serviceAccounts/"+l.ServiceAccount()+`:generateAccessToken",`, 1)
		},
	} {
		token, err := machineToken(t, l, change)
		if err != nil || !token.Valid() {
			t.Errorf("%s: %v %v", name, token, err)
		}
	}
	if _, err := machineToken(t, l, func(file string) string { return strings.Replace(file, "providers/lab", "providers/other", 1) }); err == nil || !strings.Contains(err.Error(), "invalid_target") {
		t.Error(err)
	}
}

// TestImpersonation: Google's own library acts for a user through the service account, with
// the machine's token, and is refused without the right to.
func TestImpersonation(t *testing.T) {
	l := newLab(t, workspace.Config{})
	machine, err := machineToken(t, l, func(file string) string { return file })
	if err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewTLSServer(l.Server)
	defer secure.Close()
	at, err := url.Parse(secure.URL)
	if err != nil {
		t.Fatal(err)
	}
	base := secure.Client().Transport.(*http.Transport).Clone()
	base.TLSClientConfig = &tls.Config{RootCAs: base.TLSClientConfig.RootCAs, ServerName: "example.com"}
	google := asGoogle{at, base}
	userToken := func() (*oauth2.Token, error) {
		client := &http.Client{Transport: &oauth2.Transport{Source: oauth2.StaticTokenSource(machine), Base: google}}
		source, err := impersonate.CredentialsTokenSource(t.Context(), impersonate.CredentialsConfig{
			TargetPrincipal: l.ServiceAccount(), Scopes: []string{workspace.ScopeBasic}, Subject: alice,
		}, option.WithHTTPClient(client))
		if err != nil {
			return nil, err
		}
		return source.Token()
	}
	token, err := userToken()
	if err != nil {
		t.Fatal(err)
	}
	service, err := gmail.NewService(context.Background(), option.WithTokenSource(oauth2.StaticTokenSource(token)), option.WithEndpoint(l.url))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.Users.Settings.Cse.Keypairs.List(alice).Do(); err != nil {
		t.Error(err)
	}
	l.SetImpersonation(false)
	if _, err := userToken(); err == nil || !strings.Contains(err.Error(), "iam.serviceAccounts.signJwt") {
		t.Error(err)
	}
	l.SetImpersonation(true)
	l.SetScopes()
	if _, err := userToken(); err == nil || !strings.Contains(err.Error(), "unauthorized_client") {
		t.Error(err)
	}
}
