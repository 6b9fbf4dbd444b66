package gmail_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

// TestPublishedKeys: only a key that is published as the account's is one; an answer that is
// anything else is said as what it is.
func TestPublishedKeys(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]struct {
		status int
		body   string
		want   error
		detail gmail.Detail
	}{
		"nothing published":  {200, `{}`, gmail.ErrCredentials, gmail.DetailKeyUnknown},
		"no certificate":     {200, `{"1": "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", "2": "x"}`, gmail.ErrCredentials, gmail.DetailKeyUnknown},
		"no such account":    {404, `{"error": {"code": 404}}`, gmail.ErrCredentials, gmail.DetailServiceAccountGone},
		"a page":             {200, `<html>Sign in to the guest network</html>`, gmail.ErrProtocol, ""},
		"a list":             {200, `["x"]`, gmail.ErrProtocol, ""},
		"a failing server":   {503, `x`, gmail.ErrUnavailable, ""},
		"somewhere else":     {302, ``, gmail.ErrProtocol, ""},
		"proxy wants a name": {407, `<html>`, gmail.ErrCredentials, gmail.DetailProxy},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://127.0.0.1:1/")
				w.WriteHeader(answer.status)
				_, _ = io.WriteString(w, answer.body)
			}))
			defer server.Close()
			d, err := gmail.Open(gmail.Config{ServiceAccount: "a@b.iam.gserviceaccount.com", Signer: key, Endpoint: server.URL, AuthEndpoint: server.URL, RetryBase: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			err = d.CheckKey(t.Context(), &key.PublicKey)
			var e *gmail.Error
			if !errors.As(err, &e) || !errors.Is(err, answer.want) || e.Detail != answer.detail {
				t.Errorf("%v, detail %q", err, e.Detail)
			}
		})
	}
}
