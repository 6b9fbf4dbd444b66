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

// TestFourCalls pins what a first enrollment costs.
func TestFourCalls(t *testing.T) {
	f, c := newFake(), newChain(t)
	f.parse = func(string) string { return c.pem }
	u := openFake(t, f, nil)
	pairs, err := u.KeyPairs(t.Context())
	if err != nil || len(pairs) != 0 {
		t.Fatal(pairs, err)
	}
	pair, created, err := u.EnsureKeyPair(t.Context(), pairs, c.request())
	if err != nil || !created || !pair.Enabled || pair.LeafSHA256 != c.sha256 {
		t.Fatal(pair, created, err)
	}
	if want := []string{"YubiKey 5 NFC, serial 1, slot 9d"}; !slices.Equal(pair.HardwareDescriptions, want) {
		t.Errorf("descriptions %q", pair.HardwareDescriptions)
	}
	want := Identity{Email: alice, PrimaryKeyPairID: pair.ID}
	got, change, err := u.EnsureIdentity(t.Context(), want, true)
	if err != nil || got != want || change.Action != Created {
		t.Fatal(got, change, err)
	}
	if diff := cmp.Diff([]string{"token", "keypairs.list", "keypairs.create", "identities.create"}, f.calls); diff != "" {
		t.Error(diff)
	}
}

// TestExactlyOneKeyPair loses or refuses the create in every way, and looks at
// what is there afterwards.
func TestExactlyOneKeyPair(t *testing.T) {
	reset := errors.New("http: something unheard of")
	tests := []struct {
		name    string
		fault   func(string, int) *fault
		created bool
		calls   []string // after token and the first list
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
			case m == "keypairs.list" && n == 2:
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
				pair, created, err := u.EnsureKeyPair(t.Context(), nil, c.request())
				if err != nil {
					t.Fatal(err)
				}
				if len(f.pairs) != 1 || pair.ID != "kp001" || created != test.created {
					t.Errorf("%d pairs; got %q, created %v", len(f.pairs), pair.ID, created)
				}
				if diff := cmp.Diff(append([]string{"token", "keypairs.list"}, test.calls...), f.calls); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestEnsureKeyPairChooses(t *testing.T) {
	f, c, other := newFake(), newChain(t), newChain(t)
	f.pairs = []*api.CseKeyPair{c.pair("kp9", "enabled"), other.pair("kp1", "enabled"), c.pair("kp5", "enabled"), c.pair("kp2", "disabled")}
	u := openFake(t, f, nil)
	pair, created, err := u.EnsureKeyPair(t.Context(), nil, c.request())
	if err != nil || created || pair.ID != "kp5" || !slices.Equal(pair.Duplicates, []string{"kp9"}) {
		t.Errorf("without identity: %+v, %v, %v", pair, created, err)
	}
	f.identities[alice] = &api.CseIdentity{EmailAddress: alice, SignAndEncryptKeyPairs: &api.SignAndEncryptKeyPairs{SigningKeyPairId: "kp1", EncryptionKeyPairId: "kp9"}}
	pair, created, err = u.EnsureKeyPair(t.Context(), nil, c.request())
	if err != nil || created || pair.ID != "kp9" || !slices.Equal(pair.Duplicates, []string{"kp5"}) {
		t.Errorf("with identity: %+v, %v, %v", pair, created, err)
	}
	if n := f.count("keypairs.create"); n != 0 {
		t.Errorf("%d creates", n)
	}
}

func TestDisabledKeyPairIsNotUsed(t *testing.T) {
	f, c := newFake(), newChain(t)
	f.pairs = []*api.CseKeyPair{c.pair("kp2", "disabled")}
	u := openFake(t, f, nil)
	_, created, err := u.EnsureKeyPair(t.Context(), nil, c.request())
	var e *Error
	if created || !errors.Is(err, ErrKeyPairDisabled) || !errors.As(err, &e) || e.KeyPairID != "kp2" || !strings.Contains(e.Hint(), "enable") {
		t.Fatal(created, err)
	}
	if n := f.count("keypairs.create"); n != 0 {
		t.Errorf("%d creates", n)
	}
}

func TestCreatedWithAnotherLeaf(t *testing.T) {
	f, c, other := newFake(), newChain(t), newChain(t)
	f.parse = func(string) string { return other.pem }
	u := openFake(t, f, nil)
	if _, _, err := u.EnsureKeyPair(t.Context(), nil, c.request()); !errors.Is(err, ErrMismatch) {
		t.Fatal(err)
	}
}

func TestEnsureKeyPairRefusesNonsense(t *testing.T) {
	f, c := newFake(), newChain(t)
	u := openFake(t, f, nil)
	for _, sum := range []string{"", "abc", strings.ToUpper(c.sha256)} {
		r := c.request()
		r.LeafSHA256 = sum
		if _, _, err := u.EnsureKeyPair(t.Context(), nil, r); !errors.Is(err, ErrInvalid) {
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
		if _, _, err := u.EnsureKeyPair(t.Context(), []KeyPair{}, r); err != nil || got != want {
			t.Errorf("skip %v: chainValidation=%s, %v", skip, got, err)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }

func TestEnsureIdentity(t *testing.T) {
	single := Identity{Email: alice, PrimaryKeyPairID: "kp1"}
	split := Identity{Email: alice, SigningKeyPairID: "kp1", EncryptionKeyPairID: "kp2"}
	old := Identity{Email: alice, PrimaryKeyPairID: "old"}
	lost := &fault{err: io.EOF, lost: true}
	tests := []struct {
		name   string
		there  *Identity
		want   Identity
		fresh  bool
		fault  func(string, int) *fault
		action Action
		calls  []string
	}{
		{"fresh", nil, single, true, nil, Created, []string{"identities.create"}},
		{"fresh, split", nil, split, true, nil, Created, []string{"identities.create"}},
		{"not fresh, none", nil, single, false, nil, Created, []string{"identities.get", "identities.create"}},
		{"the same", &single, single, false, nil, Unchanged, []string{"identities.get"}},
		{"fresh, but the same is there", &single, single, true, nil, Unchanged, []string{"identities.create", "identities.get"}},
		{"another", &old, single, false, nil, Patched, []string{"identities.get", "identities.patch"}},
		{"from one to two", &old, split, false, nil, Patched, []string{"identities.get", "identities.patch"}},
		{"fresh, but another is there", &old, single, true, nil, Patched,
			[]string{"identities.create", "identities.get", "identities.get", "identities.patch"}},
		{"create lost", nil, single, true, onCall("identities.create", 1, lost), Created, []string{"identities.create", "identities.get"}},
		{"create never arrived", nil, single, true, onCall("identities.create", 1, &fault{err: io.EOF}), Created,
			[]string{"identities.create", "identities.get", "identities.create"}},
		{"patch lost", &old, single, false, onCall("identities.patch", 1, lost), Patched,
			[]string{"identities.get", "identities.patch", "identities.patch"}},
		{"terse answer", nil, single, true, onCall("identities.create", 1, &fault{status: 200, body: "{}", lost: true}), Created,
			[]string{"identities.create", "identities.get"}},
		{"precondition hides a conflict", &old, single, true, onCall("identities.create", 1, refusal(400, "failedPrecondition", "Precondition check failed.")), Patched,
			[]string{"identities.create", "identities.get", "identities.patch"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.fault = test.fault
				if test.there != nil {
					f.identities[alice] = test.there.toAPI()
				}
				u := openFake(t, f, nil)
				got, change, err := u.EnsureIdentity(t.Context(), test.want, test.fresh)
				if err != nil {
					t.Fatal(err)
				}
				if got != test.want || change.Action != test.action {
					t.Errorf("got %+v, %+v", got, change)
				}
				if change.Action == Patched && (change.Before == nil || *change.Before != *test.there) {
					t.Errorf("before: %+v", change.Before)
				}
				if now := identityFromAPI(f.identities[alice]); now != test.want {
					t.Errorf("the server holds %+v", now)
				}
				if diff := cmp.Diff(append([]string{"token"}, test.calls...), f.calls); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestEnsureIdentityReadsBack(t *testing.T) {
	f := newFake()
	f.identities[alice] = Identity{Email: alice, PrimaryKeyPairID: "old"}.toAPI()
	// A server that says yes and does nothing.
	f.fault = always("identities.patch", &fault{status: 200, body: `{"emailAddress":"alice@example.org","primaryKeyPairId":"old"}`})
	u := openFake(t, f, nil)
	if _, _, err := u.EnsureIdentity(t.Context(), Identity{PrimaryKeyPairID: "new"}, false); !errors.Is(err, ErrMismatch) {
		t.Fatal(err)
	}
}

func TestEnsureIdentityRefusesNonsense(t *testing.T) {
	u := openFake(t, newFake(), nil)
	for _, i := range []Identity{
		{},
		{SigningKeyPairID: "a"},
		{PrimaryKeyPairID: "a", SigningKeyPairID: "b", EncryptionKeyPairID: "c"},
		{Email: "nobody", PrimaryKeyPairID: "a"},
	} {
		if _, _, err := u.EnsureIdentity(t.Context(), i, true); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", i, err)
		}
	}
}
