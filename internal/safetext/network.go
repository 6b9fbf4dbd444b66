package safetext

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// NetworkError says in a few words why a server was not reached or did not answer, in
// place of what the network's own error says. What is no error of the network keeps its
// text, without the address that net/http puts before it.
func NetworkError(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	var op *net.OpError
	var request *url.Error
	var refused *ProxyError
	switch {
	case errors.As(err, &refused):
		return refused.Error()
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return "through the proxy: " + NetworkError(op.Err)
	case errors.As(err, &dns):
		return "the name " + Message(dns.Name) + " cannot be resolved"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case tlsError(err) != "":
		return tlsError(err)
	case errors.As(err, &op) && op.Op == "dial" && op.Addr != nil:
		return "no connection to " + op.Addr.String() + ": " + cause(op.Err)
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection: " + cause(op.Err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return "the connection was closed before the answer was complete"
	// Of net/http, which has no type for them; the second is what it says of an answer that
	// came before the request was written.
	case strings.Contains(err.Error(), "malformed HTTP"), strings.Contains(err.Error(), "readLoopPeekFailLocked"):
		return "what answers is no web server"
	case errors.As(err, &op):
		return "the connection broke: " + cause(op.Err)
	case errors.As(err, &request):
		return request.Err.Error()
	}
	return err.Error()
}

// tlsError says why no TLS connection was made, "" for other errors.
func tlsError(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var untrusted *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	var refused tls.AlertError
	switch {
	case errors.As(err, &unknown):
		return "the server's TLS certificate is from an authority that is not trusted here"
	case errors.As(err, &name):
		return "the server's TLS certificate is not for " + Message(name.Host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the server's TLS certificate has expired, or is not valid yet"
	case errors.As(err, &untrusted):
		return "the server's TLS certificate is not trusted: " + withoutPackage(untrusted.Err.Error())
	case errors.As(err, &plain), errors.Is(err, http.ErrSchemeMismatch):
		return "what answers does not speak TLS"
	case errors.As(err, &refused):
		return "the server refused the TLS connection: " + withoutPackage(refused.Error())
	}
	// An alert of the server's comes as a text in a *net.OpError.
	if _, alert, found := strings.Cut(err.Error(), "remote error: tls: "); found {
		return "the server refused the TLS connection: " + Message(alert)
	}
	return ""
}

// withoutPackage leaves out the name of the Go package that an error begins with.
func withoutPackage(text string) string {
	for _, name := range []string{"tls: ", "x509: "} {
		text = strings.TrimPrefix(text, name)
	}
	return Message(text)
}

// cause is what the operating system says, without the name of its function.
func cause(err error) string {
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return strings.TrimSuffix(err.Error(), ".")
}
