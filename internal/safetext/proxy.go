package safetext

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// ProxyError is returned where a proxy did not let a request through.
type ProxyError struct{ Status int }

// Error names the status.
func (e *ProxyError) Error() string {
	return fmt.Sprintf("the proxy answered %d %s", e.Status, http.StatusText(e.Status))
}

// WantsCredentials reports whether the proxy wants a name and a password (RFC 9110 section 15.5.8).
func (e *ProxyError) WantsCredentials() bool { return e.Status == http.StatusProxyAuthRequired }

// CheckProxyConnect is for OnProxyConnectResponse of [http.Transport]: it returns a *[ProxyError] for
// a proxy that does not connect to the server (RFC 9110 section 9.3.6).
func CheckProxyConnect(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode != http.StatusOK {
		return &ProxyError{answer.StatusCode}
	}
	return nil
}

// CheckProxyAnswer returns a *[ProxyError] for an answer that only proxies give, where a request goes
// through one without a connection of its own, as those by http do.
func CheckProxyAnswer(status int) error {
	if refused := (&ProxyError{status}); refused.WantsCredentials() {
		return refused
	}
	return nil
}
