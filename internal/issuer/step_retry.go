package issuer

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/cse-piv/cse-piv/internal/logging"
)

// countedACME carries the exchanges of an ACME client, one after the other, and says in the log how
// often each is made: the client makes them again by itself.
type countedACME struct {
	base   http.RoundTripper
	failed atomic.Int64 // tries of the exchange under way
}

// RoundTrip makes one exchange, as [http.RoundTripper] asks.
func (c *countedACME) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := logging.Adding(request.Context(), logging.Attempt, c.failed.Load()+1)
	response, err := c.base.RoundTrip(request.WithContext(ctx))
	// Between two tries the client asks for a nonce (RFC 8555 section 7.2) with HEAD.
	if err == nil && response.StatusCode < http.StatusBadRequest && request.Method != http.MethodHead {
		c.failed.Store(0)
	}
	return response, err
}

// retry is told of the n-th try that failed, and returns how long to wait before the next one,
// negative for no more.
func (c *countedACME) retry(n int, _ *http.Request, resp *http.Response) time.Duration {
	if n >= exchangeTries {
		return -1
	}
	c.failed.Store(int64(n))
	return max(time.Second<<(n-1), min(retryAfter(resp.Header.Get("Retry-After"), time.Now()), 30*time.Second))
}
