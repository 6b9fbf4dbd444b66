package issuer

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// ESTOptions is how this program makes itself known to an EST server.
type ESTOptions struct {
	TLS
	// User and Password are for HTTP basic authentication (RFC 7030 §3.2.3); an empty
	// user means none.
	User     string
	Password secret.Secret
}

type estIssuer struct {
	base    string
	options ESTOptions
	web     *web
}

// NewEST asks a CA by Enrollment over Secure Transport (RFC 7030 §4.1 and §4.2,
// RFC 8951). base is its URL up to and with /.well-known/est (and a label, where
// the CA has several). Plain http is accepted to this machine only.
func NewEST(base string, options ESTOptions) (Issuer, error) {
	base, err := parseBase("est", base)
	if err != nil {
		return nil, err
	}
	return &estIssuer{base: base, options: options, web: newWeb("est", options.TLS)}, nil
}

func (e *estIssuer) Name() string { return "est " + e.base }

// Issue asks for a certificate, or to renew the one that the request names. What was
// issued is returned also where the CA's own certificates cannot be fetched.
func (e *estIssuer) Issue(ctx context.Context, request Request) ([]*x509.Certificate, error) {
	csr, err := request.check()
	if err != nil {
		return nil, err
	}
	issued, err := e.enroll(ctx, request, csr)
	if err != nil {
		return nil, err
	}
	// The answer holds the leaf only (RFC 7030 §4.2.3); the rest is fetched.
	certs, err := leafFirst(issued, csr.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("est: the answer of %s: %w", e.base, err)
	}
	above, err := e.chain(ctx, request.Notice)
	if err != nil {
		request.notice(fmt.Sprintf("the certificate was issued, but the CA's own certificates could not be fetched: %v", err))
		return certs, nil
	}
	return leafFirst(append(certs, above...), csr.PublicKey)
}

// Chain fetches the CA's certificates (RFC 7030 §4.1).
func (e *estIssuer) Chain(ctx context.Context) ([]*x509.Certificate, error) { return e.chain(ctx, nil) }

func (e *estIssuer) chain(ctx context.Context, notice func(string)) ([]*x509.Certificate, error) {
	return e.certificates(ctx, notice, http.MethodGet, "cacerts", "")
}

// enroll asks for a certificate: by simplereenroll (RFC 7030 §4.2.2) where the request
// renews one with the same names, and the server offers that.
func (e *estIssuer) enroll(ctx context.Context, request Request, csr *x509.CertificateRequest) ([]*x509.Certificate, error) {
	body := wrap(base64.StdEncoding.EncodeToString(request.CSR))
	if sameNames(csr, request.Renews) {
		certs, err := e.certificates(ctx, request.Notice, http.MethodPost, "simplereenroll", body)
		var refused *AnswerError
		if !errors.As(err, &refused) || refused.Status != http.StatusNotFound && refused.Status != http.StatusMethodNotAllowed && refused.Status != http.StatusNotImplemented {
			return certs, err
		}
	}
	return e.certificates(ctx, request.Notice, http.MethodPost, "simpleenroll", body)
}

// sameNames reports whether subject and alternative names of a request are those of a
// certificate, which simplereenroll asks for.
func sameNames(csr *x509.CertificateRequest, renews *x509.Certificate) bool {
	if renews == nil || !bytes.Equal(csr.RawSubject, renews.RawSubject) {
		return false
	}
	subjectAltName := asn1.ObjectIdentifier{2, 5, 29, 17}
	var names [2][]byte
	for _, extension := range csr.Extensions {
		if extension.Id.Equal(subjectAltName) {
			names[0] = extension.Value
		}
	}
	for _, extension := range renews.Extensions {
		if extension.Id.Equal(subjectAltName) {
			names[1] = extension.Value
		}
	}
	return bytes.Equal(names[0], names[1])
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

func (e *estIssuer) certificates(ctx context.Context, notice func(string), method, operation, body string) ([]*x509.Certificate, error) {
	request := webRequest{method: method, target: e.base + "/" + operation, body: body, header: map[string]string{"Accept": "application/pkcs7-mime"}}
	if body != "" {
		request.header["Content-Type"] = "application/pkcs10"
		request.header["Content-Transfer-Encoding"] = "base64"
	}
	if e.options.User != "" {
		request.user = func(r *http.Request) { r.SetBasicAuth(e.options.User, string(e.options.Password.Reveal())) }
	}
	got, err := e.web.do(ctx, notice, request)
	if err != nil {
		return nil, err
	}
	if got.status == http.StatusAccepted {
		return nil, &WaitingError{Request: request.target, RetryAfter: got.after}
	}
	certs, err := decodeAnswer(got.body)
	if err != nil {
		return nil, e.web.bad(request.target, got, err)
	}
	return certs, nil
}

func decodeAnswer(body []byte) ([]*x509.Certificate, error) {
	der := body
	// RFC 8951 §3.1: base64, whatever the headers say. DER, which some services
	// send nevertheless, does not decode as such.
	if compact := bytes.Join(bytes.Fields(body), nil); len(compact) > 0 {
		if decoded, err := base64.StdEncoding.DecodeString(string(compact)); err == nil {
			der = decoded
		}
	}
	return certificate.Parse(der)
}
