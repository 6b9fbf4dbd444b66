package repository_test

import (
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/repository"
)

// TestPrivateAddressesAreNotAsked: neither named as such, nor by a name, nor by way of
// a redirect; other schemes never.
func TestPrivateAddressesAreNotAsked(t *testing.T) {
	issuer := newAuthority(t, "issuer")
	address, requests := server(t, serve(issuer.certificate.Raw))
	port := address[strings.LastIndex(address, ":"):]
	for _, target := range []string{
		address, "http://localhost" + port, "http://[::1]" + port, "http://[::ffff:127.0.0.1]" + port, "http://0.0.0.0" + port,
		"http://169.254.169.254/latest/", "http://10.1.2.3/ca.cer", "http://[fd00::1]/", "http://100.64.1.1/", "http://[64:ff9b::7f00:1]/",
		"http://user:password@example.com/", "file:///etc/passwd", "ldap://ldap.example.com/cn=ca", "http://", "http:///x", "://", "",
	} {
		cert := issuer.issue(t, 5, nil).certificate
		cert.IssuingCertificateURL = []string{target}
		found, err := repository.New(repository.Options{}).Issuers(t.Context(), cert)
		var failed *repository.FetchError
		if len(found) > 0 || !errors.Is(err, repository.ErrAddress) || !errors.As(err, &failed) || strings.Contains(failed.Err.Error(), "password") {
			t.Errorf("%q: %d certificates, error %v", target, len(found), err)
		}
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests reached a private server", n)
	}
}

// TestRedirects: a few are followed, a circle ends, other schemes are refused.
func TestRedirects(t *testing.T) {
	issuer := newAuthority(t, "issuer")
	address, requests := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/once":
			http.Redirect(w, r, "/ca.cer", http.StatusFound)
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		default:
			_, _ = w.Write(issuer.certificate.Raw)
		}
	})
	for path, want := range map[string]string{"/once": "", "/circle": "redirects", "/file": "neither http nor https"} {
		requests.Store(0)
		cert := issuer.issue(t, 5, func(c *x509.Certificate) { c.IssuingCertificateURL = []string{address + path} }).certificate
		found, err := repository.New(repository.Options{AllowPrivate: true}).Issuers(t.Context(), cert)
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) || requests.Load() > 5 {
			t.Errorf("%s: %d certificates, error %v, %d requests", path, len(found), err, requests.Load())
		}
	}
}

// TestIssuers: in DER and in PKCS#7; the second address where the first does not answer.
func TestIssuers(t *testing.T) {
	issuer := newAuthority(t, "issuer")
	pkcs7, err := certificate.EncodePKCS7([]*x509.Certificate{issuer.certificate})
	if err != nil {
		t.Fatal(err)
	}
	address, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ca.cer":
			_, _ = w.Write(issuer.certificate.Raw)
		case "/ca.p7c":
			_, _ = w.Write(pkcs7)
		case "/page":
			_, _ = w.Write([]byte("<html>"))
		case "/large":
			_, _ = w.Write(make([]byte, 1<<20))
		default:
			http.NotFound(w, r)
		}
	})
	for _, test := range []struct {
		paths string
		found int
		want  string
	}{
		{"/ca.cer", 1, ""}, {"/ca.p7c", 1, ""}, {"/gone /ca.cer", 1, ""}, {"", 0, ""},
		{"/gone", 0, "404"}, {"/page", 0, "certificate"}, {"/large", 0, "larger than"}, {"/gone /page", 0, "404"},
	} {
		cert := issuer.issue(t, 5, func(c *x509.Certificate) {
			for path := range strings.FieldsSeq(test.paths) {
				c.IssuingCertificateURL = append(c.IssuingCertificateURL, address+path)
			}
		}).certificate
		found, err := repository.New(repository.Options{AllowPrivate: true}).Issuers(t.Context(), cert)
		if len(found) != test.found || (test.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %d certificates, error %v", test.paths, len(found), err)
		}
	}
}
