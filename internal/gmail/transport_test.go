package gmail

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// serve runs handle as the API behind real connections, with the fake as its
// token endpoint.
func serve(t *testing.T, handle http.HandlerFunc) (*Domain, *atomic.Int64) {
	t.Helper()
	var connections atomic.Int64
	tokens := newFake()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/token" {
			handle(w, r)
			return
		}
		resp, err := tokens.RoundTrip(r)
		if err != nil {
			t.Error(err)
			return
		}
		io.Copy(w, resp.Body)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	path := writeAccount(t, accountJSON(func(m map[string]any) { m["token_uri"] = server.URL + "/token" }))
	d, err := Open(Config{CredentialsFile: path, Endpoint: server.URL, UserAgent: "cse-piv/test", RetryBase: time.Millisecond, MaxTries: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, &connections
}

func TestConnectionIsReused(t *testing.T) {
	var agent string
	d, connections := serve(t, func(w http.ResponseWriter, r *http.Request) {
		agent = r.UserAgent()
		io.WriteString(w, "{}")
	})
	for i := range 5 {
		u, err := d.User(t.Context(), fmt.Sprintf("user%d@example.org", i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.KeyPairs(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	if !strings.HasSuffix(agent, " cse-piv/test") {
		t.Errorf("user agent %q", agent)
	}
}

// TestCreateIsNeverSentTwiceUnasked closes the connection under a create: the
// HTTP client must not repeat it on its own, and a redirect must not either.
func TestCreateIsNeverSentTwiceUnasked(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"closed": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			conn.Close()
		},
		"redirected": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var creates, lists atomic.Int64
			d, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					creates.Add(1)
					answer(w, r)
					return
				}
				if lists.Add(1) < creates.Load() {
					t.Error("a second create came before the look")
				}
				io.WriteString(w, "{}")
			})
			u, err := d.User(t.Context(), alice)
			if err != nil {
				t.Fatal(err)
			}
			c := newChain(t)
			if _, _, err := u.CreateKeyPair(t.Context(), nil, c.request()); err == nil {
				t.Error("no error")
			}
			if creates.Load() == 0 {
				t.Error("no create")
			}
		})
	}
}

func TestHugeAnswerIsCutOff(t *testing.T) {
	for _, status := range []int{200, 400} {
		d, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			line := []byte(strings.Repeat(" ", 1<<20))
			for range 20 {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		})
		u, err := d.User(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.KeyPairs(t.Context()); !errors.Is(err, ErrProtocol) {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestCutAnswerIsReadAgain(t *testing.T) {
	var calls atomic.Int64
	d, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"cseKeyPairs":[`)
			return
		}
		io.WriteString(w, "{}")
	})
	u, err := d.User(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.KeyPairs(t.Context()); err != nil || calls.Load() != 2 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	l.Close()
	path := writeAccount(t, accountJSON(func(m map[string]any) { m["token_uri"] = url + "/token" }))
	d, err := Open(Config{CredentialsFile: path, Endpoint: url, RetryBase: time.Millisecond, MaxTries: 2})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.User(t.Context(), alice)
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "no connection") {
		t.Error(err)
	}
}
