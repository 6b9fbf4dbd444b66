package gmail

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	api "google.golang.org/api/gmail/v1"
)

// TestExactlyOneKeyPair loses or refuses the create in every way, and looks at
// what is there afterwards.
func TestExactlyOneKeyPair(t *testing.T) {
	reset := errors.New("http: something unheard of")
	tests := []struct {
		name    string
		fault   func(string, int) *fault
		created bool
		calls   []string // after the token
	}{
		{"reset before", onCall("keypairs.create", 1, &fault{err: syscall.ECONNRESET}), true,
			[]string{"keypairs.create", "keypairs.list", "keypairs.create"}},
		{"reset after commit", onCall("keypairs.create", 1, &fault{err: syscall.ECONNRESET, lost: true}), true,
			[]string{"keypairs.create", "keypairs.list"}},
		{"end of file after commit", onCall("keypairs.create", 1, &fault{err: io.EOF, lost: true}), true,
			[]string{"keypairs.create", "keypairs.list"}},
		{"strange failure after commit", onCall("keypairs.create", 1, &fault{err: reset, lost: true}), true,
			[]string{"keypairs.create", "keypairs.list"}},
		{"500 after commit", onCall("keypairs.create", 1, &fault{status: 500, body: "<html>", lost: true}), true,
			[]string{"keypairs.create", "keypairs.list"}},
		{"503 before", onCall("keypairs.create", 1, refusal(503, "backendError", "Backend Error")), true,
			[]string{"keypairs.create", "keypairs.list", "keypairs.create"}},
		{"nonsense after commit", onCall("keypairs.create", 1, &fault{status: 200, body: "{", lost: true}), true,
			[]string{"keypairs.create", "keypairs.list"}},
		{"no ID after commit", onCall("keypairs.create", 1, &fault{status: 200, body: "{}", lost: true}), true,
			[]string{"keypairs.create", "keypairs.list"}},
		{"429", onCall("keypairs.create", 1, refusal(429, "rateLimitExceeded", "Too many")), true,
			[]string{"keypairs.create", "keypairs.create"}},
		{"403 rate limit", onCall("keypairs.create", 1, refusal(403, "userRateLimitExceeded", "User Rate Limit Exceeded")), true,
			[]string{"keypairs.create", "keypairs.create"}},
		{"lost, then the look fails too", func(m string, n int) *fault {
			switch {
			case m == "keypairs.create" && n == 1:
				return &fault{err: io.ErrUnexpectedEOF, lost: true}
			case m == "keypairs.list" && n == 1:
				return refusal(503, "backendError", "Backend Error")
			}
			return nil
		}, true, []string{"keypairs.create", "keypairs.list", "keypairs.list"}},
		{"said to exist", onCall("keypairs.create", 1, &fault{status: 409, body: errorBody(409, "alreadyExists", "exists"), lost: true}), false,
			[]string{"keypairs.create", "keypairs.list"}},
		{"lost at the last try", func(m string, n int) *fault {
			if m == "keypairs.create" {
				return &fault{err: io.EOF, lost: n == 8}
			}
			return nil
		}, true, slices.Repeat([]string{"keypairs.create", "keypairs.list"}, 8)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, c := newFake(), newChain(t)
				f.parse = func(string) string { return c.pem }
				f.fault = test.fault
				u := openFake(t, f, nil)
				pair, created, err := u.CreateKeyPair(t.Context(), nil, c.request())
				if err != nil {
					t.Fatal(err)
				}
				if len(f.pairs) != 1 || pair.ID != "kp001" || created != test.created {
					t.Errorf("%d pairs; got %q, created %v", len(f.pairs), pair.ID, created)
				}
				if diff := cmp.Diff(append([]string{"token"}, test.calls...), f.calls); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestANewPairIsTold: after a lost answer, a pair that was there before is not
// taken for the one that was created, nor one of another leaf.
func TestANewPairIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c, other := newFake(), newChain(t), newChain(t)
		f.pairs = []*api.CseKeyPair{c.pair("before", "enabled"), other.pair("other", "enabled")}
		f.parse = func(string) string { return c.pem }
		f.fault = onCall("keypairs.create", 1, &fault{err: io.EOF, lost: true})
		u := openFake(t, f, nil)
		known, err := u.KeyPairs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pair, created, err := u.CreateKeyPair(t.Context(), known, c.request())
		if err != nil || !created || pair.ID != "kp003" || len(f.pairs) != 3 {
			t.Errorf("%+v, %v, %v", pair, created, err)
		}
	})
}

// TestCreatedOtherwise has the server create something else than was asked for:
// that is never taken, and never made again.
func TestCreatedOtherwise(t *testing.T) {
	c, other := newChain(t), newChain(t)
	kacls := &api.CsePrivateKeyMetadata{KaclsKeyMetadata: &api.KaclsKeyMetadata{KaclsUri: "https://kacls.example"}}
	for name, change := range map[string]func(*api.CseKeyPair){
		"another leaf":             func(p *api.CseKeyPair) { p.Pem = other.pem },
		"disabled":                 func(p *api.CseKeyPair) { p.EnablementState = "disabled" },
		"in no state":              func(p *api.CseKeyPair) { p.EnablementState = "stateUnspecified" },
		"in a key service":         func(p *api.CseKeyPair) { p.PrivateKeyMetadata = []*api.CsePrivateKeyMetadata{kacls} },
		"in a key service as well": func(p *api.CseKeyPair) { p.PrivateKeyMetadata = append(p.PrivateKeyMetadata, kacls) },
		"nowhere":                  func(p *api.CseKeyPair) { p.PrivateKeyMetadata = nil },
	} {
		f := newFake()
		f.parse = func(string) string { return c.pem }
		f.change = change
		u := openFake(t, f, nil)
		_, _, err := u.CreateKeyPair(t.Context(), nil, c.request())
		var e *Error
		if !errors.Is(err, ErrWrongKeyPair) || !errors.As(err, &e) || f.count("keypairs.create") != 1 {
			t.Errorf("%s: %v, calls %q", name, err, f.calls)
		}
	}
}

func TestCreateKeyPairRefusesNonsense(t *testing.T) {
	f, c := newFake(), newChain(t)
	u := openFake(t, f, nil)
	for _, sum := range []string{"", "abc", strings.ToUpper(c.sha256)} {
		r := c.request()
		r.LeafSHA256 = sum
		if _, _, err := u.CreateKeyPair(t.Context(), nil, r); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", sum, err)
		}
	}
	if len(f.calls) != 1 {
		t.Errorf("calls %q", f.calls)
	}
}

func TestChainValidationParameter(t *testing.T) {
	for skip, want := range map[bool]string{false: "all", true: "none"} {
		f, c := newFake(), newChain(t)
		f.parse = func(string) string { return c.pem }
		var got string
		u := openFake(t, f, nil)
		u.domain.base = roundTripper(func(r *http.Request) (*http.Response, error) {
			got = r.URL.Query().Get("chainValidation")
			return f.RoundTrip(r)
		})
		// The generated client was bound to the first transport: open it anew.
		u, err := u.domain.User(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		r := c.request()
		r.SkipChainValidation = skip
		if _, _, err := u.CreateKeyPair(t.Context(), nil, r); err != nil || got != want {
			t.Errorf("skip %v: chainValidation=%s, %v", skip, got, err)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }
