package issuer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/issuer/catest"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// TestRealESTServer enrolls, waits, is refused, and renews at GlobalSign's EST server.
func TestRealESTServer(t *testing.T) {
	binary := catest.Binary(t, "estserver")
	// Its certificates are for TLS; the authority is for anything.
	authority := newCA(t, func(c *x509.Certificate) { c.ExtKeyUsage = nil })
	dir, serverKey := t.TempDir(), newKey(t)
	address := testenv.Address(t)
	config := map[string]any{
		"mock_ca": map[string]string{"certificates": write(t, dir, "ca.pem", pemOf(authority.issuing, authority.root)), "private_key": write(t, dir, "ca.key", keyPEM(t, authority.key))},
		"tls": map[string]any{"listen_address": address, "certificates": write(t, dir, "server.pem", pemOf(authority.serverCertificate(t, serverKey.Public()))),
			"private_key": write(t, dir, "server.key", keyPEM(t, serverKey)), "client_cas": []string{write(t, dir, "root.pem", pemOf(authority.root, authority.issuing))}},
		"allowed_hosts": []string{"127.0.0.1"}, "rate_limit": 1000, "timeout": 30, "log_file": filepath.Join(dir, "log"),
	}
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	base := "https://" + address + "/.well-known/est"
	catest.Start(t, base+"/cacerts", exec.CommandContext(t.Context(), binary, "-config", write(t, dir, "config.json", data)))
	t.Cleanup(func() {
		if logged, err := os.ReadFile(filepath.Join(dir, "log")); err == nil && t.Failed() {
			t.Log(string(logged))
		}
	})
	open := func(path string, options ESTOptions) Issuer {
		i, err := NewEST(base+path, options)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	pinned := ESTOptions{TLS: TLS{CA: []*x509.Certificate{authority.root}}}
	named := func(name string) func(*x509.CertificateRequest) {
		return func(r *x509.CertificateRequest) { r.Subject.CommonName = name }
	}

	key := newKey(t)
	request := newRequest(t, key, nil)
	certs, err := open("", pinned).Issue(t.Context(), request)
	if err != nil || len(certs) != 3 || !certificate.SameKey(certs[0].PublicKey, key.Public()) || !slices.Equal(certs[0].EmailAddresses, []string{carol}) {
		t.Fatal(certs, err)
	}
	// Renewed with a new key, by who shows the certificate that is renewed.
	renewal := newRequest(t, newKey(t), nil)
	renewal.Renews = certs[0]
	client := pinned
	client.Client = &tls.Certificate{Certificate: [][]byte{certs[0].Raw, authority.issuing.Raw}, PrivateKey: key}
	renewed, err := open("", client).Issue(t.Context(), renewal)
	if err != nil || renewed[0].Equal(certs[0]) || !slices.Equal(renewed[0].EmailAddresses, []string{carol}) {
		t.Error(renewed, err)
	}
	// Without that certificate it refuses to renew.
	var answer *AnswerError
	if _, err := open("", pinned).Issue(t.Context(), renewal); !errors.As(err, &answer) || answer.Status/100 != 4 {
		t.Error(err)
	}
	_, err = open("/triggererrors", pinned).Issue(t.Context(), newRequest(t, key, named("Trigger Error Deferred")))
	if waits := Waits(err); len(waits) != 1 || waits[0].RetryAfter != 600*time.Second {
		t.Error(err)
	}
	if _, err = open("/triggererrors", pinned).Issue(t.Context(), newRequest(t, key, named("Trigger Error Forbidden"))); !errors.As(err, &answer) || answer.Status != http.StatusForbidden {
		t.Error(err)
	}
	// What it issued there is kept, though that label's cacerts fails.
	var notices []string
	kept := newRequest(t, key, nil)
	kept.Notice = func(what string) { notices = append(notices, what) }
	certs, err = open("/triggererrors", pinned).Issue(t.Context(), kept)
	if err != nil || len(certs) != 1 || !strings.Contains(strings.Join(notices, "\n"), "could not be fetched") {
		t.Error(certs, err, notices)
	}
	var untrusted *TLSError
	for _, ca := range []*x509.Certificate{nil, newCA(t, nil).root} {
		options := ESTOptions{}
		if ca != nil {
			options.CA = []*x509.Certificate{ca}
		}
		if _, err := open("", options).Issue(t.Context(), request); !errors.As(err, &untrusted) {
			t.Error(err)
		}
	}
}

// TestESTSignsIn: the password goes to the server in the header alone, and to nobody else.
func TestESTSignsIn(t *testing.T) {
	authority, key := newCA(t, nil), newKey(t)
	leaf := authority.leaf(t, key.Public(), time.Now())
	s := &scripted{answer: func(w http.ResponseWriter, r *http.Request, _ int) {
		if user, password, ok := r.BasicAuth(); !ok || user != "desk" || password != "correct horse" {
			w.Header().Set("WWW-Authenticate", `Basic realm="est"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		io.WriteString(w, base64.StdEncoding.EncodeToString(bundle(t, leaf)))
	}}
	for password, ok := range map[string]bool{"correct horse": true, "wrong horse": false} {
		i, err := NewEST("https://ca.example.org/.well-known/est", ESTOptions{User: "desk", Password: secret.FromString(password)})
		if err != nil {
			t.Fatal(err)
		}
		i.(*estIssuer).web.client.Transport = s
		_, err = i.Issue(t.Context(), newRequest(t, key, nil))
		var answer *AnswerError
		if (err == nil) != ok || !ok && (!errors.As(err, &answer) || answer.Status != http.StatusUnauthorized) {
			t.Errorf("%q: %v", password, err)
		}
		if err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// TestESTShowsItsCertificate: a server that asks for a client certificate gets it, and
// refuses whoever has none.
func TestESTShowsItsCertificate(t *testing.T) {
	authority, key := newCA(t, func(c *x509.Certificate) { c.ExtKeyUsage = nil }), newKey(t)
	clientKey := newKey(t)
	client := newCertificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "desk"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, authority.issuing, clientKey.Public(), authority.key)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, base64.StdEncoding.EncodeToString(bundle(t, authority.leaf(t, key.Public(), time.Now()), authority.issuing)))
	}))
	roots := x509.NewCertPool()
	roots.AddCert(authority.root)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	options := ESTOptions{TLS: TLS{CA: []*x509.Certificate{server.Certificate()}}}
	for _, shown := range []bool{true, false} {
		if options.Client = nil; shown {
			options.Client = &tls.Certificate{Certificate: [][]byte{client.Raw, authority.issuing.Raw}, PrivateKey: clientKey}
		}
		i, err := NewEST(server.URL, options)
		if err != nil {
			t.Fatal(err)
		}
		var refused *TLSError
		if _, err = i.Issue(t.Context(), newRequest(t, key, nil)); shown && err != nil || !shown && !errors.As(err, &refused) {
			t.Errorf("shown %v: %v", shown, err)
		}
	}
}

// TestESTBadAnswers: whatever answers in place of a CA is named in a typed error.
func TestESTBadAnswers(t *testing.T) {
	authority, key := newCA(t, nil), newKey(t)
	for name, test := range map[string]struct {
		status      int
		contentType string
		body        string
		check       func(*AnswerError) bool
	}{
		"a proxy's page":     {200, "text/html; charset=utf-8", "<html>Sign in</html>", func(e *AnswerError) bool { return e.HTML && e.Status == 200 && e.Err != nil }},
		"a proxy's refusal":  {407, "text/html", "<html>", func(e *AnswerError) bool { return e.HTML && e.Status == 407 }},
		"a redirect":         {307, "text/plain", "", func(e *AnswerError) bool { return e.Location == "https://elsewhere.example.org/" }},
		"JSON":               {200, "application/json", `{"ok":true}`, func(e *AnswerError) bool { return !e.HTML && e.Err != nil }},
		"too much":           {200, "application/pkcs7-mime", strings.Repeat("A", maxAnswer+1), func(e *AnswerError) bool { return errors.Is(e, errTooLarge) }},
		"no authentication":  {401, "text/plain", "", func(e *AnswerError) bool { return e.Status == 401 }},
		"an internal error":  {500, "text/plain", "null pointer", func(e *AnswerError) bool { return e.Status == 500 && e.Text == "null pointer" }},
		"certificates of no": {200, "application/pkcs7-mime", "AAAA", func(e *AnswerError) bool { return e.Err != nil }},
	} {
		s := &scripted{answer: func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Location", "https://elsewhere.example.org/")
			w.Header().Set("Content-Type", test.contentType)
			w.WriteHeader(test.status)
			io.WriteString(w, test.body)
		}}
		var bad *AnswerError
		if _, err := estWith(t, s).Issue(t.Context(), newRequest(t, key, nil)); !errors.As(err, &bad) || !test.check(bad) || bad.URL == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The type that is said does not matter where it is a certificate.
	leaf := authority.leaf(t, key.Public(), time.Now())
	s := &scripted{answer: func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Type", "application/octet-stream")
		io.WriteString(w, base64.StdEncoding.EncodeToString(bundle(t, leaf)))
	}}
	if _, err := estWith(t, s).Issue(t.Context(), newRequest(t, key, nil)); err != nil {
		t.Error(err)
	}
}

// TestESTSlowServer: a server that does not answer is given up, in the end.
func TestESTSlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := estWith(t, nil)
		i.(*estIssuer).web.client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		start := time.Now()
		_, err := i.Issue(t.Context(), newRequest(t, newKey(t), nil))
		if err == nil || errors.Is(err, context.Canceled) || time.Since(start) > exchangeTries*exchangeTimeout+time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestESTRenews: simplereenroll is for the same names, and a server that does not offer it
// is asked by simpleenroll.
func TestESTRenews(t *testing.T) {
	authority, key := newCA(t, nil), newKey(t)
	csr, err := newRequest(t, key, nil).check()
	if err != nil {
		t.Fatal(err)
	}
	same := newCertificate(t, &x509.Certificate{RawSubject: csr.RawSubject, EmailAddresses: []string{carol}}, authority.issuing, newKey(t).Public(), authority.key)
	other := newCertificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Carol C."}, EmailAddresses: []string{carol}}, authority.issuing, newKey(t).Public(), authority.key)
	for name, test := range map[string]struct {
		renews *x509.Certificate
		status int
		calls  []string
	}{
		"renewal":        {same, 200, []string{"simplereenroll", "cacerts"}},
		"not offered":    {same, 404, []string{"simplereenroll", "simpleenroll", "cacerts"}},
		"other names":    {other, 200, []string{"simpleenroll", "cacerts"}},
		"nothing before": {nil, 200, []string{"simpleenroll", "cacerts"}},
	} {
		s := &scripted{answer: func(w http.ResponseWriter, r *http.Request, _ int) {
			if strings.HasSuffix(r.URL.Path, "simplereenroll") {
				w.WriteHeader(test.status)
			}
			io.WriteString(w, base64.StdEncoding.EncodeToString(bundle(t, authority.leaf(t, key.Public(), time.Now()), authority.issuing)))
		}}
		request := newRequest(t, key, nil)
		request.Renews = test.renews
		if _, err := estWith(t, s).Issue(t.Context(), request); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var calls []string
		for _, call := range s.calls {
			calls = append(calls, call[strings.LastIndex(call, "/")+1:])
		}
		if !slices.Equal(calls, test.calls) {
			t.Errorf("%s: calls %q", name, calls)
		}
	}
}
