package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/logging"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// The bounds of one exchange.
const (
	exchangeTimeout = 15 * time.Second
	maxRedirects    = 3
)

// ErrAddress is wrapped by the errors about addresses that are not asked: of another
// scheme than http and https, or private ones that are not allowed.
var ErrAddress = errors.New("address is not asked")

// Options of a [Client].
type Options struct {
	// AllowPrivate allows servers at loopback, link-local and private addresses, as
	// authorities inside an organisation have them.
	AllowPrivate bool
	// OnlyTLS refuses addresses that are not https, also where a redirect leads to one.
	OnlyTLS bool
	// Cache is a folder for revocation lists, which are kept until their nextUpdate;
	// without one they are kept in memory.
	Cache durable.Folder
	// Failed is told, once for each address, why it did not answer; nil for nobody.
	Failed func(*FetchError)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Client fetches. It is safe for concurrent use, asks no address twice for the same
// list, and remembers which addresses failed.
type Client struct {
	options Options
	http    *http.Client

	mutex   sync.Mutex
	lists   map[string]*list    // by address and issuer
	issuers map[string]*answers // by address
}

// New returns a client.
func New(options Options) *Client {
	if options.Now == nil {
		options.Now = time.Now
	}
	c := &Client{options: options, lists: map[string]*list{}, issuers: map[string]*answers{}}
	c.http = &http.Client{
		Timeout:   exchangeTimeout,
		Transport: logging.Transport(newRoundTripper(options.AllowPrivate)),
		CheckRedirect: func(request *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fmt.Errorf("more than %d redirects", maxRedirects)
			}
			return c.checkAddress(request.URL)
		},
	}
	return c
}

// exchange makes one request: a GET, or a POST where there is a body. It returns at
// most limit octets; a larger answer is an error.
func (c *Client) exchange(ctx context.Context, address string, body []byte, contentType string, limit int64) ([]byte, error) {
	target, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: it is no URL", ErrAddress)
	}
	if err := c.checkAddress(target); err != nil {
		return nil, err
	}
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	ctx = logging.Adding(ctx, logging.Attempt, 1) // there is no second
	request, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, &exchangeError{err}
	}
	defer response.Body.Close()
	if refused := safetext.CheckProxyAnswer(response.StatusCode); refused != nil {
		return nil, refused
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil:
		return nil, &exchangeError{err}
	case int64(len(answer)) > limit:
		return nil, fmt.Errorf("the answer is larger than %d octets", limit)
	}
	return answer, nil
}

// exchangeError is returned where a server was not reached or did not answer to the end.
type exchangeError struct{ err error }

// Error says why in a few words.
func (e *exchangeError) Error() string { return safetext.NetworkError(e.err) }

// Unwrap returns the cause.
func (e *exchangeError) Unwrap() error { return e.err }

// isWeb tells addresses that this package can ask from those of directories and files.
func isWeb(address string) bool {
	lower := strings.ToLower(address)
	return strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://")
}
