package gmail

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cse-piv/cse-piv/internal/safetext"

	api "google.golang.org/api/gmail/v1"
)

// stubborn answers every call of the API with the same, and each exchange of
// credentials with another.
type stubborn struct {
	status      int
	body        string
	tokenStatus int
	token       string
}

const goodToken = `{"access_token":"t","expires_in":3600}`

func (s *stubborn) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := s.status, s.body
	if methodOf(r) == "token" {
		status, body = s.tokenStatus, s.token
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func checkError(t *testing.T, err error) {
	t.Helper()
	var known *Error
	if err != nil && (!errors.As(err, &known) || known.Kind == "" || strings.ContainsFunc(err.Error(), safetext.Hidden) || !utf8.ValidString(err.Error()) || len(err.Error()) > 8<<10) {
		t.Errorf("%T %v", err, err)
	}
}

// FuzzAPIAnswers answers every call with the same bytes. Whatever is made of them
// has what it must have.
func FuzzAPIAnswers(f *testing.F) {
	c := newChain(f)
	pem, _ := api.CseKeyPair{Pem: c.pem}.MarshalJSON()
	pair := `{"keyPairId":"kp1","enablementState":"enabled","privateKeyMetadata":[{"hardwareKeyMetadata":{"description":"card"}}],` + strings.TrimPrefix(string(pem), "{")
	for _, body := range []string{
		"null", "", "{}", "[]", `"x"`, "<html>", "{", pair, `{"cseKeyPairs":[` + pair + `,null]}`, `{"cseKeyPairs":[` + pair + `],"nextPageToken":"again"}`,
		`{"emailAddress":"alice@example.org","primaryKeyPairId":"kp1"}`, `{"cseIdentities":[{"emailAddress":"alice@example.org","signAndEncryptKeyPairs":null}]}`,
		`{"error":{"code":403,"errors":[{"reason":"forbidden"}]}}`, `[{"error":null}]`, `{"error":{"details":[[[]]],"code":-1}}`,
	} {
		f.Add(200, body)
		f.Add(400, body)
		f.Add(204, body)
	}
	server := &stubborn{tokenStatus: http.StatusOK, token: goodToken}
	u := openStubborn(f, server)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		server.status, server.body = status, body
		ctx := t.Context()
		pairs, err := u.KeyPairs(ctx)
		checkError(t, err)
		for _, pair := range pairs {
			checkPair(t, pair)
		}
		one, err := u.KeyPair(ctx, "kp1")
		checkError(t, err)
		if err == nil {
			checkPair(t, one)
		}
		made, _, err := u.CreateKeyPair(ctx, nil, c.request())
		checkError(t, err)
		if err == nil && (!made.Has(c.sha256) || !made.Hardware() || !made.Enabled || len(made.KeyServices) > 0) {
			t.Errorf("%+v", made)
		}
		_, err = u.DisableKeyPair(ctx, "kp1")
		checkError(t, err)
		checkError(t, u.ObliterateKeyPair(ctx, "kp1"))
		checkError(t, u.DeleteIdentity(ctx))
		_, err = u.Identities(ctx)
		checkError(t, err)
		identity, err := u.Identity(ctx)
		checkError(t, err)
		if err == nil && !strings.EqualFold(identity.Email, alice) {
			t.Errorf("%+v", identity)
		}
		want := Identity{Email: alice, PrimaryKeyPairID: "kp1"}
		for _, set := range []func(context.Context, Identity) (Identity, error){u.CreateIdentity, u.PatchIdentity} {
			got, err := set(ctx, want)
			checkError(t, err)
			if err == nil && !got.Equal(want) {
				t.Errorf("%+v", got)
			}
		}
	})
}

// FuzzDirectoryAnswers answers every call of the directory with the same bytes. Nobody is
// refused but by an answer that is one.
func FuzzDirectoryAnswers(f *testing.F) {
	for _, body := range []string{
		"null", "", "{}", "[]", "{", `{"primaryEmail":"alice@example.org","isMailboxSetup":true}`, `{"primaryEmail":"bob@example.org","aliases":["alice@example.org"],"suspended":true}`,
		`{"users":[{"primaryEmail":"alice@example.org","isMailboxSetup":true},null],"nextPageToken":"again"}`, `{"users":null}`,
		`{"error":{"code":404,"errors":[{"reason":"notFound"}]}}`, `{"error":{"code":403,"errors":[{"reason":"forbidden"}]}}`,
	} {
		f.Add(200, body)
		f.Add(403, body)
		f.Add(404, body)
	}
	many := make([]string, askedSingly+1)
	for i := range many {
		many[i] = strings.Repeat("a", i+1) + "@example.org"
	}
	server := &stubborn{tokenStatus: http.StatusOK, token: goodToken}
	domain := openStubborn(f, server).domain
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		server.status, server.body = status, body
		for _, emails := range [][]string{{alice}, many} {
			var err error
			if domain.directory, err = domain.openDirectory("admin@example.org"); err != nil {
				t.Fatal(err)
			}
			found, err := domain.CheckUsers(t.Context(), emails)
			checkError(t, err)
			for _, refused := range found {
				checkError(t, refused)
				var e *Error
				if errors.As(refused, &e) && e.Kind == KindAlias && !safetext.IsAddress(e.Primary) {
					t.Errorf("%+v", e)
				}
			}
		}
	})
}

func checkPair(t *testing.T, pair KeyPair) {
	t.Helper()
	if checkID("key pair", pair.ID) != nil || len(pair.LeafSHA256) != 64 {
		t.Errorf("%+v", pair)
	}
}

// FuzzTokenAnswers answers the exchange of credentials with the same bytes.
func FuzzTokenAnswers(f *testing.F) {
	for _, body := range []string{
		goodToken, "null", "{}", "[]", "<html>", `{"access_token":5}`, `{"access_token":"a b"}`, `{"access_token":"a","expires_in":99999999999999999999}`,
		`{"access_token":"a","id_token":"e30.e30.e30"}`, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`, "{\"error\":\"invalid_g\x8dant\"}", `{"error":{"code":403}}`,
	} {
		f.Add(200, body)
		f.Add(400, body)
	}
	server := &stubborn{tokenStatus: http.StatusOK, token: goodToken}
	domain := openStubborn(f, server).domain
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		server.tokenStatus, server.token = status, body
		domain.keep(tokenKey{alice, Scope}, nil)
		user, err := domain.User(t.Context(), alice)
		checkError(t, err)
		if err == nil && (!isToken(user.accessToken()) || status > 299) {
			t.Errorf("%d %q gave the token %q", status, body, user.accessToken())
		}
	})
}

func openStubborn(t testing.TB, server http.RoundTripper) *User {
	t.Helper()
	d, err := open(Config{CredentialsFile: writeAccount(t, accountJSON(nil)), Endpoint: apiURL, MaxTries: 1, RetryBase: time.Nanosecond}, server)
	if err != nil {
		t.Fatal(err)
	}
	u, err := d.User(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
