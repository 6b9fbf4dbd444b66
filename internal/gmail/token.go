package gmail

import (
	"context"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/impersonate"
	"google.golang.org/api/option"
)

// tokenGranter exchanges the domain's credentials for the access token of one
// user. Its exchanges run through p, which knows afterwards how they ended.
type tokenGranter interface {
	account() string
	grant(p *probe, user string) (*oauth2.Token, error)
}

// impersonation lets the IAM Credentials API sign the assertion, so no key lies
// on this machine. The machine's own token is shared by all users.
type impersonation struct {
	principal string
	base      http.RoundTripper
	timeout   time.Duration

	mu      sync.Mutex
	machine oauth2.TokenSource
}

const cloudPlatformScope = "https://www.googleapis.com/auth/cloud-platform"

func newImpersonation(principal string, base http.RoundTripper, timeout time.Duration) *impersonation {
	return &impersonation{principal: principal, base: base, timeout: timeout}
}

func (i *impersonation) account() string { return i.principal }

// machineTokens finds the application default credentials once.
func (i *impersonation) machineTokens() (oauth2.TokenSource, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.machine != nil {
		return i.machine, nil
	}
	if path := os.Getenv("GOOGLE_APPLICATION_CREDENTIALS"); path != "" {
		// The library would wait for a pipe, and read whatever is there.
		if _, _, err := readCredentials(path); err != nil {
			return nil, &Error{Method: "token", Kind: KindCredentials, Message: "GOOGLE_APPLICATION_CREDENTIALS: " + err.Error(), Detail: DetailMachine, Err: err}
		}
	}
	// This source outlives the call that first needs it: the client's timeout,
	// not that call's context, bounds its exchanges.
	client := &http.Client{Transport: &bounded{base: i.base}, Timeout: i.timeout, CheckRedirect: noRedirect}
	found, err := google.FindDefaultCredentials(context.WithValue(context.Background(), oauth2.HTTPClient, client), cloudPlatformScope)
	if err != nil {
		return nil, &Error{Method: "token", Kind: KindCredentials, Message: "no application default credentials on this machine",
			Detail: DetailMachine}
	}
	i.machine = oauth2.ReuseTokenSource(nil, found.TokenSource)
	return i.machine, nil
}

func (i *impersonation) grant(p *probe, user string) (*oauth2.Token, error) {
	machine, err := i.machineTokens()
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &oauth2.Transport{Source: machine, Base: p}, CheckRedirect: noRedirect}
	source, err := impersonate.CredentialsTokenSource(p.ctx, impersonate.CredentialsConfig{
		TargetPrincipal: i.principal,
		Scopes:          []string{Scope},
		Subject:         user,
	}, option.WithHTTPClient(client))
	if err != nil {
		return nil, err
	}
	return source.Token()
}
