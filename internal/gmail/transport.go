package gmail

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// maxBody and maxNested bound what is read of an answer, after unpacking: bytes,
// and JSON objects and arrays, each of which takes far more memory than it has
// bytes. A page of 100 key pairs with their chains stays below a quarter of it.
const (
	maxBody   = 8 << 20
	maxNested = 20_000
)

var (
	errBodyTooLarge  = errors.New("the answer is larger than 8 MiB")
	errBodyTooNested = errors.New("the answer has more than 20,000 parts")
)

// newTransport keeps enough idle connections for a batch of users to share; the
// limits on whole exchanges come from each call's context. connections bounds
// those to one host, 0 for no bound: without one, a call that just misses an idle
// connection opens another. roots are the authorities that servers may have their
// certificates of, nil for the system's.
func newTransport(connections int, roots *x509.CertPool) *http.Transport {
	idle := max(connections, 64)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:   true,
		TLSClientConfig:     &tls.Config{RootCAs: roots},
		MaxConnsPerHost:     connections,
		MaxIdleConns:        2 * idle,
		MaxIdleConnsPerHost: idle,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 15 * time.Second,
		// Also bounds interim answers.
		MaxResponseHeaderBytes: 256 << 10,
		ExpectContinueTimeout:  time.Second,
		OnProxyConnectResponse: safetext.CheckProxyConnect,
	}
}

// noRedirect stops at a redirect: a create must never be sent a second time by
// the HTTP client, nor a token leave for another host.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func discardLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// bounded limits the size of answers.
type bounded struct{ base http.RoundTripper }

func (b *bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxBody, parts: maxNested}
	return resp, nil
}

type boundedBody struct {
	io.ReadCloser
	left  int64
	parts int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errBodyTooLarge
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.parts -= bytes.Count(p[:n], []byte{'{'}) + bytes.Count(p[:n], []byte{'['}); b.parts < 0 {
		return 0, errBodyTooNested
	}
	return n, err
}

// authorized adds the user's access token. The token is fetched beforehand, so
// that a failing token endpoint is never taken for a failing API call.
type authorized struct {
	user *User
	base http.RoundTripper
}

func (a *authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+a.user.accessToken())
	return a.base.RoundTrip(req)
}

// probe carries the exchanges of an OAuth library, which take no context and
// flatten errors into text: it binds them to one context and remembers how the
// last of them ended.
type probe struct {
	ctx  context.Context
	base http.RoundTripper

	url    string // without a query
	err    error
	status int
	header http.Header
	body   []byte
}

func (p *probe) RoundTrip(req *http.Request) (*http.Response, error) {
	p.url, p.err, p.status, p.header, p.body = req.URL.Scheme+"://"+req.URL.Host+req.URL.Path, nil, 0, nil, nil
	resp, err := p.base.RoundTrip(req.WithContext(p.ctx))
	if err != nil {
		p.err = err
		return nil, err
	}
	p.status, p.header = resp.StatusCode, resp.Header
	resp.Body = &recordedBody{ReadCloser: resp.Body, probe: p}
	return resp, nil
}

// recordedBody keeps the start of an answer, enough for an OAuth error.
type recordedBody struct {
	io.ReadCloser
	probe *probe
}

func (r *recordedBody) Read(b []byte) (int, error) {
	n, err := r.ReadCloser.Read(b)
	if room := 64<<10 - len(r.probe.body); room > 0 {
		r.probe.body = append(r.probe.body, b[:min(n, room)]...)
	}
	if err != nil && err != io.EOF {
		r.probe.err = err
	}
	return n, err
}

func (p *probe) client() *http.Client {
	return &http.Client{Transport: p, CheckRedirect: noRedirect}
}
