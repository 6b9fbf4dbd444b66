package gmail

import "golang.org/x/oauth2"

// tokenKey says what an access token is good for.
type tokenKey struct{ email, scope string }

// tokenGranter exchanges the domain's credentials for the access token of one
// user, for a scope. Its exchanges run through p, which knows afterwards how they ended.
type tokenGranter interface {
	credentials() Credentials
	endpoint() string // where tokens are asked for
	grant(p *probe, user, scope string) (*oauth2.Token, error)
}
