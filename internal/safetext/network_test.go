package safetext

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestNetworkError: nothing of what Go calls its functions and errors is left, and
// what is not of the network is kept.
func TestNetworkError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, refused := http.Get("http://" + address + "/x")
	if refused == nil {
		t.Fatal("somebody answers")
	}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"refused":       {refused, "no connection to " + address + ": "},
		"no name":       {&url.Error{Op: "Post", URL: "https://no.invalid", Err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: "no.invalid", Server: "10.0.0.1:53", Err: "no such host"}}}, "the name no.invalid cannot be resolved"},
		"too late":      {fmt.Errorf("x: %w", context.DeadlineExceeded), "no answer in time"},
		"cut":           {&url.Error{Op: "Get", URL: "https://x", Err: io.EOF}, "the connection was closed before the answer was complete"},
		"cut inside":    {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), "the connection was closed before the answer was complete"},
		"reset":         {&url.Error{Op: "Get", URL: "https://x", Err: &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}}, "the connection was closed before the answer was complete"},
		"broken":        {&net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.ENETDOWN)}, "the connection broke: network is down"},
		"proxy":         {&net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: "proxy.invalid"}}}, "through the proxy: the name proxy.invalid cannot be resolved"},
		"no web":        {&url.Error{Op: "Get", URL: "http://x", Err: errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP status code "mail"`)}, "what answers is no web server"},
		"too early":     {&url.Error{Op: "Get", URL: "http://x", Err: errors.New("readLoopPeekFailLocked: %!w(<nil>)")}, "what answers is no web server"},
		"no TLS":        {&url.Error{Op: "Get", URL: "https://x", Err: http.ErrSchemeMismatch}, "what answers does not speak TLS"},
		"untrusted":     {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "the server's TLS certificate is from an authority that is not trusted here"},
		"expired":       {&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}, "the server's TLS certificate has expired, or is not valid yet"},
		"other name":    {&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "ca.example"}}, "the server's TLS certificate is not for ca.example"},
		"other rule":    {&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.TooManyIntermediates}}, "the server's TLS certificate is not trusted: too many"},
		"alert":         {&net.OpError{Op: "remote error", Err: tls.AlertError(42)}, "the server refused the TLS connection: bad certificate"},
		"alert as text": {errors.New("remote error: tls: certificate required"), "the server refused the TLS connection: certificate required"},
		"redirects":     {&url.Error{Op: "Get", URL: "http://x", Err: errors.New("more than 3 redirects")}, "more than 3 redirects"},
		"other":         {errors.New("the CA is on holiday"), "the CA is on holiday"},
	} {
		got := NetworkError(test.err)
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %q", name, got)
		}
		for _, word := range []string{"dial", "tcp", "lookup", "Post", "EOF", "deadline", "connect:", "x509", "tls:", "net/http", "Get", "read", "write"} {
			if strings.Contains(got, word) {
				t.Errorf("%s: %q has %q", name, got, word)
			}
		}
	}
}
