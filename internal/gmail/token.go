package gmail

import "golang.org/x/oauth2"

// tokenGranter exchanges the domain's credentials for the access token of one
// user. Its exchanges run through p, which knows afterwards how they ended.
type tokenGranter interface {
	credentials() Credentials
	endpoint() string // where tokens are asked for
	grant(p *probe, user string) (*oauth2.Token, error)
}
