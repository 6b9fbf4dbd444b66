package issuer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/logging"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/sleep"
)

const (
	// maxAnswer bounds what is read of a CA's answer.
	maxAnswer = 1 << 20
	// exchangeTimeout bounds one exchange.
	exchangeTimeout = 60 * time.Second
	// exchangeTries bounds how often an exchange is made that fails on the way.
	// A request that got through twice costs one more certificate, no harm.
	exchangeTries = 4
)

// TLS is how the connection to an issuer is secured.
type TLS struct {
	// CA are the only authorities trusted for the server's certificate; empty means
	// this system's.
	CA []*x509.Certificate
	// Client is the certificate that this program shows, with its key, or nil.
	Client *tls.Certificate
}

// web makes exchanges with a CA over http, once more where one failed on the way. It
// follows no redirect.
type web struct {
	protocol string // "est", for people
	client   *http.Client
}

func newWeb(protocol string, options TLS) *web {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(options.CA) > 0 {
		config.RootCAs = x509.NewCertPool()
		for _, ca := range options.CA {
			config.RootCAs.AddCert(ca)
		}
	}
	if options.Client != nil {
		config.Certificates = []tls.Certificate{*options.Client}
	}
	return webOver(protocol, config)
}

// webOver returns a web whose connections are secured as config says.
func webOver(protocol string, config *tls.Config) *web {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.OnProxyConnectResponse = safetext.CheckProxyConnect
	transport.TLSClientConfig = config
	return &web{protocol: protocol, client: &http.Client{
		Transport: logging.Transport(transport), Timeout: exchangeTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// parseBase checks the URL of an issuer and returns it without a slash at its end. Plain
// http is accepted to this machine only.
func parseBase(protocol, base string) (string, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		// Not shown: there may be a password in it.
		return "", fmt.Errorf("%s: the address is not a URL", protocol)
	case u.User != nil:
		return "", fmt.Errorf("%s: a user or password in the URL of %s is not accepted", protocol, u.Host)
	case u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%s: %q is not the URL of a service", protocol, base)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
	default:
		return "", fmt.Errorf("%s: %q is neither https nor plain http to this machine", protocol, base)
	}
	return strings.TrimSuffix(base, "/"), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// webRequest is one request to a CA.
type webRequest struct {
	method, target, body string
	header               map[string]string
	user                 func(*http.Request) // adds credentials, may be nil
}

// answer is what a CA said, of at most maxAnswer bytes.
type answer struct {
	status int
	header http.Header
	body   []byte
	after  time.Duration // Retry-After
}

// do makes an exchange, again when it failed on the way. Answers that refuse are
// *AnswerError.
func (w *web) do(ctx context.Context, notice func(string), request webRequest) (*answer, error) {
	wait := time.Second
	for try := 1; ; try++ {
		got, err := w.once(logging.Adding(ctx, logging.Attempt, try), request)
		var passing *passingError
		if !errors.As(err, &passing) || try == exchangeTries {
			return got, err
		}
		pause := max(wait, min(passing.after, 30*time.Second))
		if notice != nil {
			notice(fmt.Sprintf("%v; trying again in %s (try %d of %d)", err, pause, try+1, exchangeTries))
		}
		if err := sleep.For(ctx, pause); err != nil {
			return nil, err
		}
		wait *= 2
	}
}

// passingError is a failure that another try may not meet.
type passingError struct {
	error
	after time.Duration
}

func (p *passingError) Unwrap() error { return p.error }

func (w *web) once(ctx context.Context, request webRequest) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, request.method, request.target, strings.NewReader(request.body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.protocol, err)
	}
	if request.body == "" {
		req.Body = http.NoBody
	}
	for name, value := range request.header {
		req.Header.Set(name, value)
	}
	if request.user != nil {
		request.user(req)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if isTLS(err) {
			return nil, &TLSError{Protocol: w.protocol, Err: err}
		}
		if refused, found := errors.AsType[*safetext.ProxyError](err); found && refused.WantsCredentials() {
			return nil, &UnreachableError{Protocol: w.protocol, Address: request.target, Err: refused}
		}
		return nil, &passingError{error: &UnreachableError{Protocol: w.protocol, Address: request.target, Err: err}}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &passingError{error: &UnreachableError{Protocol: w.protocol, Address: request.target, Err: err}}
	}
	got := &answer{status: resp.StatusCode, header: resp.Header, body: body, after: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	if len(body) > maxAnswer {
		return nil, w.bad(request.target, got, errTooLarge)
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted:
		return got, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return nil, &passingError{error: w.bad(request.target, got, nil), after: got.after}
	}
	return nil, w.bad(request.target, got, nil)
}

var errTooLarge = errors.New("it is too large")

// AnswerError is an answer of an issuer, or of what stands between, that is no
// certificate: a refusal, a redirect, a web page, or nonsense.
type AnswerError struct {
	Protocol, URL string
	Status        int    // of http
	HTML          bool   // it is a web page
	Location      string // where a redirect leads, else ""
	Text          string // how it begins, where it refuses
	Err           error  // why an answer that does not refuse cannot be used, or nil
}

func (w *web) bad(target string, got *answer, err error) *AnswerError {
	media, _, _ := mime.ParseMediaType(got.header.Get("Content-Type"))
	bad := &AnswerError{Protocol: w.protocol, URL: target, Status: got.status, HTML: media == "text/html", Err: err}
	if got.status/100 == 3 {
		bad.Location = got.header.Get("Location")
	}
	if err == nil {
		bad.Text = strings.ToValidUTF8(strings.TrimSpace(string(got.body[:min(len(got.body), 300)])), "")
	}
	return bad
}

// Error says who answered what; control characters in it are escaped.
func (e *AnswerError) Error() string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("%s: the answer of %s: %v", e.Protocol, e.URL, e.Err)
	case e.Location != "":
		return fmt.Sprintf("%s: %s answered %d %s to %q, which is not followed", e.Protocol, e.URL, e.Status, http.StatusText(e.Status), e.Location)
	case e.HTML:
		return fmt.Sprintf("%s: %s answered %d %s with a web page", e.Protocol, e.URL, e.Status, http.StatusText(e.Status))
	case e.Text == "":
		return fmt.Sprintf("%s: %s answered %d %s", e.Protocol, e.URL, e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("%s: %s answered %d %s: %q", e.Protocol, e.URL, e.Status, http.StatusText(e.Status), e.Text)
}

// Unwrap returns why the answer cannot be used.
func (e *AnswerError) Unwrap() error { return e.Err }

// isTLS tells a failure to speak TLS with the server, which no other try mends.
func isTLS(err error) bool {
	var untrusted *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	var alert tls.AlertError
	return errors.As(err, &untrusted) || errors.As(err, &plain) || errors.As(err, &alert) || errors.Is(err, http.ErrSchemeMismatch) ||
		strings.Contains(err.Error(), "remote error: tls:") // an alert of the server's, which has no type of its own
}

// TLSError is an issuer with which no TLS connection can be made.
type TLSError struct {
	Protocol string
	Err      error
}

// Error says why.
func (e *TLSError) Error() string { return e.Protocol + ": " + safetext.NetworkError(e.Err) }

// Unwrap returns the cause.
func (e *TLSError) Unwrap() error { return e.Err }

// RefusedByServer reports whether it was the server that ended the handshake, as one does that
// is shown no client certificate, or one that it does not trust.
func (e *TLSError) RefusedByServer() bool {
	remote, ok := errors.AsType[*net.OpError](e.Err)
	return ok && remote.Op == "remote error"
}

// UnreachableError is returned where an issuer was not reached, or did not answer to the
// end.
type UnreachableError struct {
	Protocol string
	Address  string // that was asked
	Err      error
}

// Error names the address, and says why.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Protocol, e.Address, safetext.NetworkError(e.Err))
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

func retryAfter(value string, now time.Time) time.Duration {
	const longest = 30 * 24 * time.Hour
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, longest)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), longest)
	}
	return 0
}
