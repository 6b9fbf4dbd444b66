package issuer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

const (
	// maxAnswer bounds what is read of a CA's answer.
	maxAnswer = 1 << 20
	// estTimeout bounds one exchange.
	estTimeout = 60 * time.Second
	// estTries bounds how often an exchange is made that fails on the way.
	// A request that got through twice costs one more certificate, no harm.
	estTries = 4
)

type estIssuer struct {
	base   string
	client *http.Client
}

// NewEST asks a CA by Enrollment over Secure Transport (RFC 7030 §4.1 and §4.2,
// RFC 8951). base is its URL up to and with /.well-known/est (and a label, where
// the CA has several). TLS trusts the system's roots; plain http is accepted to
// this machine only.
func NewEST(base string) (Issuer, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		// Not shown: there may be a password in it.
		return nil, errors.New("est: the address is not a URL")
	case u.User != nil:
		return nil, fmt.Errorf("est: a user or password in the URL of %s is not accepted", u.Host)
	case u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("est: %q is not the URL of an EST service", base)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
	default:
		return nil, fmt.Errorf("est: %q is neither https nor plain http to this machine", base)
	}
	return &estIssuer{
		base: strings.TrimSuffix(base, "/"),
		client: &http.Client{
			Timeout:       estTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (e *estIssuer) Name() string { return "est " + e.base }

func (e *estIssuer) Issue(ctx context.Context, request Request) ([]*x509.Certificate, error) {
	csr, err := request.check()
	if err != nil {
		return nil, err
	}
	issued, err := e.certificates(ctx, request, http.MethodPost, "simpleenroll", wrap(base64.StdEncoding.EncodeToString(request.CSR)))
	if err != nil {
		return nil, err
	}
	// The answer holds the leaf only (RFC 7030 §4.2.3); the rest is fetched.
	certs, err := leafFirst(issued, csr.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("est: the answer of %s: %w", e.base, err)
	}
	above, err := e.certificates(ctx, request, http.MethodGet, "cacerts", "")
	if err != nil {
		return nil, err
	}
	return leafFirst(append(certs, above...), csr.PublicKey)
}

// wrap breaks base64 into lines, as older services expect.
func wrap(s string) string {
	var b strings.Builder
	for len(s) > 64 {
		b.WriteString(s[:64] + "\r\n")
		s = s[64:]
	}
	return b.String() + s + "\r\n"
}

// certificates makes one exchange, again when it failed on the way.
func (e *estIssuer) certificates(ctx context.Context, request Request, method, operation, body string) ([]*x509.Certificate, error) {
	wait := time.Second
	for try := 1; ; try++ {
		certs, err := e.exchange(ctx, method, operation, body)
		var passing *passingError
		if !errors.As(err, &passing) || try == estTries {
			return certs, err
		}
		pause := max(wait, min(passing.after, 30*time.Second))
		if request.Notice != nil {
			request.Notice(fmt.Sprintf("%v; trying again in %s (try %d of %d)", err, pause, try+1, estTries))
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
			wait *= 2
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

// isTLS tells a failure to speak TLS with the server, which no other try mends.
func isTLS(err error) bool {
	var untrusted *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	var alert tls.AlertError
	return errors.As(err, &untrusted) || errors.As(err, &plain) || errors.As(err, &alert) || errors.Is(err, http.ErrSchemeMismatch)
}

// TLSError is an EST server with which no TLS connection can be made.
type TLSError struct{ Err error }

// Error says why.
func (e *TLSError) Error() string { return fmt.Sprintf("est: %v", e.Err) }

// Unwrap returns the cause.
func (e *TLSError) Unwrap() error { return e.Err }

// UnreachableError is returned where an EST server was not reached, or did not answer to
// the end.
type UnreachableError struct {
	Address string // that was asked
	Err     error
}

// Error names the address, and says why.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("est: %s: %s", e.Address, safetext.NetworkError(e.Err))
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// passingError is a failure that another try may not meet.
type passingError struct {
	error
	after time.Duration
}

func (p *passingError) Unwrap() error { return p.error }

func (e *estIssuer) exchange(ctx context.Context, method, operation, body string) ([]*x509.Certificate, error) {
	target := e.base + "/" + operation
	req, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("est: %w", err)
	}
	if body == "" {
		req.Body = http.NoBody
	} else {
		req.Header.Set("Content-Type", "application/pkcs10")
		req.Header.Set("Content-Transfer-Encoding", "base64")
	}
	req.Header.Set("Accept", "application/pkcs7-mime")
	resp, err := e.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if isTLS(err) {
			return nil, &TLSError{Err: err}
		}
		return nil, &passingError{error: &UnreachableError{Address: target, Err: err}}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &passingError{error: &UnreachableError{Address: target, Err: err}}
	}
	if len(answer) > maxAnswer {
		return nil, fmt.Errorf("est: the answer of %s is too large", target)
	}
	after := retryAfter(resp.Header.Get("Retry-After"), time.Now())
	switch resp.StatusCode {
	case http.StatusOK:
		return decodeAnswer(target, answer)
	case http.StatusAccepted:
		return nil, &WaitingError{Request: target, RetryAfter: after}
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return nil, &passingError{error: refusal(target, resp.StatusCode, answer), after: after}
	}
	return nil, refusal(target, resp.StatusCode, answer)
}

func decodeAnswer(target string, answer []byte) ([]*x509.Certificate, error) {
	der := answer
	// RFC 8951 §3.1: base64, whatever the headers say. DER, which some services
	// send nevertheless, does not decode as such.
	if compact := bytes.Join(bytes.Fields(answer), nil); len(compact) > 0 {
		if decoded, err := base64.StdEncoding.DecodeString(string(compact)); err == nil {
			der = decoded
		}
	}
	certs, err := certificate.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("est: the answer of %s: %w", target, err)
	}
	return certs, nil
}

// refusal quotes the start of the CA's explanation, with control characters
// escaped.
func refusal(target string, status int, answer []byte) error {
	text := strings.ToValidUTF8(strings.TrimSpace(string(answer[:min(len(answer), 300)])), "")
	if text == "" {
		return fmt.Errorf("est: %s answered %d %s", target, status, http.StatusText(status))
	}
	return fmt.Errorf("est: %s answered %d %s: %q", target, status, http.StatusText(status), text)
}

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
