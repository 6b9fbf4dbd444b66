package issuer

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/lab/ca"
)

// scripted answers EST requests in memory, so that waits pass in virtual time.
type scripted struct {
	answer func(w http.ResponseWriter, r *http.Request, n int)
	calls  []string
	fail   func(n int) error
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	s.calls = append(s.calls, r.Method+" "+r.URL.Path)
	if s.fail != nil {
		if err := s.fail(len(s.calls)); err != nil {
			return nil, err
		}
	}
	w := httptest.NewRecorder()
	s.answer(w, r, len(s.calls))
	return w.Result(), nil
}

func estWith(t *testing.T, s *scripted) Issuer {
	t.Helper()
	i, err := NewEST("https://ca.example.org/.well-known/est/", ESTOptions{})
	if err != nil {
		t.Fatal(err)
	}
	i.(*estIssuer).web.client.Transport = s
	return i
}

func TestEST(t *testing.T) {
	authority, key := newCA(t, nil), newKey(t)
	request := newRequest(t, key, nil)
	leaf := authority.leaf(t, key.Public(), time.Now())
	s := &scripted{answer: func(w http.ResponseWriter, r *http.Request, _ int) {
		certs := []*x509.Certificate{authority.root, authority.issuing}
		if r.Method == http.MethodPost {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(body)), ""))
			if err != nil || !slices.Equal(der, request.CSR) || r.Header.Get("Content-Type") != "application/pkcs10" {
				t.Errorf("got %s as %s", body, r.Header)
			}
			certs = []*x509.Certificate{leaf}
		}
		io.WriteString(w, wrap(base64.StdEncoding.EncodeToString(bundle(t, certs...))))
	}}
	certs, err := estWith(t, s).Issue(t.Context(), request)
	if err != nil || len(certs) != 3 || !certs[0].Equal(leaf) {
		t.Fatal(certs, err)
	}
	if want := []string{"POST /.well-known/est/simpleenroll", "GET /.well-known/est/cacerts"}; !slices.Equal(s.calls, want) {
		t.Errorf("calls %q", s.calls)
	}
}

func TestESTAnswers(t *testing.T) {
	authority, key := newCA(t, nil), newKey(t)
	other := base64.StdEncoding.EncodeToString(bundle(t, authority.leaf(t, newKey(t).Public(), time.Now())))
	for name, test := range map[string]struct {
		status int
		body   string
		want   string
		calls  int
	}{
		"refused":       {400, "bad \x1b[31mkey\n", `bad \x1b[31mkey`, 1},
		"no password":   {401, "", "401 Unauthorized", 1},
		"redirect":      {302, "", "302 Found", 1},
		"no content":    {204, "", "204", 1},
		"nonsense":      {200, "<html>hello</html>", "not a certificate file", 1},
		"empty":         {200, "", "it is empty", 1},
		"other key":     {200, other, ErrOtherKey.Error(), 1},
		"too much":      {200, strings.Repeat("A", maxAnswer+1), "too large", 1},
		"always busy":   {503, "later", "503", exchangeTries},
		"always beyond": {502, "<html>", "502", exchangeTries},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &scripted{answer: func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.Header().Set("Location", "https://elsewhere.example.org/")
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			}}
			_, err := estWith(t, s).Issue(t.Context(), newRequest(t, key, nil))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.ContainsRune(err.Error(), 0x1b) || len(s.calls) != test.calls {
				t.Errorf("%s: got %v, want %q in it; calls %q", name, err, test.want, s.calls)
			}
		})
	}
}

func TestESTWaiting(t *testing.T) {
	for header, want := range map[string]time.Duration{"600": 10 * time.Minute, "": 0, "soon": 0, "4294967295": 30 * 24 * time.Hour} {
		s := &scripted{answer: func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusAccepted)
		}}
		_, err := estWith(t, s).Issue(t.Context(), newRequest(t, newKey(t), nil))
		var waiting *WaitingError
		if !errors.As(err, &waiting) || waiting.RetryAfter != want || waiting.Dir != "" || !strings.Contains(waiting.Error(), "ca.example.org") {
			t.Errorf("%q: %v", header, err)
		}
	}
	date := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	if got := retryAfter(date.Add(time.Hour).Format(http.TimeFormat), date); got != time.Hour {
		t.Errorf("by date: %v", got)
	}
}

func TestESTTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		authority, key := newCA(t, nil), newKey(t)
		leaf := authority.leaf(t, key.Public(), time.Now())
		s := &scripted{
			fail: func(n int) error {
				if n == 1 {
					return errors.New("connection reset")
				}
				return nil
			},
			answer: func(w http.ResponseWriter, r *http.Request, n int) {
				if n == 2 {
					w.Header().Set("Retry-After", "20")
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				w.Write(leaf.Raw) // binary, against the letter of the RFC
			},
		}
		start := time.Now()
		request, notices := newRequest(t, key, nil), ""
		request.Notice = func(what string) { notices += what + "\n" }
		certs, err := estWith(t, s).Issue(t.Context(), request)
		if err != nil || !certs[0].Equal(leaf) || time.Since(start) != 21*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		for _, want := range []string{"connection reset; trying again in 1s (try 2 of 4)\n", "503 Service Unavailable; trying again in 20s (try 3 of 4)\n"} {
			if !strings.Contains(notices, want) {
				t.Errorf("the notices are %q", notices)
			}
		}

		s.fail = func(int) error { return errors.New("connection reset") }
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		if _, err := estWith(t, s).Issue(ctx, newRequest(t, key, nil)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// TestESTWithoutTLS: a server that this system does not trust, or that speaks
// another protocol, is asked once.
func TestESTWithoutTLS(t *testing.T) {
	for name, start := range map[string]func(*httptest.Server){"untrusted": (*httptest.Server).StartTLS, "plain": (*httptest.Server).Start} {
		var connections atomic.Int32
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		start(server)
		i, err := NewEST(strings.Replace(server.URL, "http:", "https:", 1), ESTOptions{})
		if err != nil {
			t.Fatal(err)
		}
		request := newRequest(t, newKey(t), nil)
		request.Notice = func(what string) { t.Errorf("%s: %s", name, what) }
		_, err = i.Issue(t.Context(), request)
		server.Close()
		if err == nil || !errors.As(err, new(*TLSError)) || connections.Load() > 1 {
			t.Errorf("%s: %v after %d connections", name, err, connections.Load())
		}
	}
}

func TestESTAddresses(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://ca.example.org/.well-known/est": true, "http://127.0.0.1:8080/.well-known/est": true, "http://localhost/est": true,
		"http://ca.example.org/.well-known/est": false, "https://u:p@ca.example.org/": false, "https://u:p@ca.example.org/?x": false, "https://u:p@%zz/": false, "ca.example.org": false, "": false,
		"https://ca.example.org/?x": false, "file:///tmp": false, "http://%zz/": false,
	} {
		if _, err := NewEST(url, ESTOptions{}); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		} else if err != nil && strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: the error shows the password: %v", url, err)
		}
	}
}

// TestPracticeCA talks to the practice authority, written by its own reading of
// the RFC.
func TestPracticeCA(t *testing.T) {
	authority, err := ca.New(ca.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(authority)
	defer server.Close()
	i, err := NewEST(server.URL+"/.well-known/est", ESTOptions{})
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	certs, err := i.Issue(t.Context(), newRequest(t, key, nil))
	if err != nil || !certificate.SameKey(certs[0].PublicKey, key.Public()) || !slices.ContainsFunc(certs, authority.Root().Equal) || !slices.ContainsFunc(certs, authority.Issuing().Equal) {
		t.Fatal(certs, err)
	}
	_, err = i.Issue(t.Context(), newRequest(t, key, func(r *x509.CertificateRequest) { r.EmailAddresses = nil }))
	if err == nil || !strings.Contains(err.Error(), "400") {
		t.Error(err)
	}
	// The keys that it saves fit the local issuer.
	dir := t.TempDir()
	if err := authority.Save(dir); err != nil {
		t.Fatal(err)
	}
	l, err := newLocal(dir+"/issuing.pem", dir+"/issuing.key", Options{CRLURL: crlURL})
	if err != nil {
		t.Fatal(err)
	}
	if certs, err := l.Issue(t.Context(), newRequest(t, key, nil)); err != nil || certs[0].CheckSignatureFrom(authority.Issuing()) != nil {
		t.Error(err)
	}
}

func FuzzAnswer(f *testing.F) {
	authority := newCA(f, nil)
	f.Add([]byte(base64.StdEncoding.EncodeToString(bundle(f, authority.root))))
	f.Add(bundle(f, authority.root))
	f.Add([]byte("MIIB\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if certs, err := decodeAnswer(data); (err == nil) == (len(certs) == 0) {
			t.Fatalf("%d certificates, %v", len(certs), err)
		}
		if text := (&web{protocol: "est"}).bad("x", &answer{status: 400, body: data}, nil).Error(); strings.ContainsAny(text, "\x1b\r\n\x07") {
			t.Fatalf("%q", text)
		}
	})
}
