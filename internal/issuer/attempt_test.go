package issuer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/acme"

	"github.com/cse-piv/cse-piv/internal/logging"
)

// answering is a server that answers with one status after the other, the last one for ever.
type answering []int

func (a *answering) RoundTrip(request *http.Request) (*http.Response, error) {
	status := (*a)[0]
	if len(*a) > 1 {
		*a = (*a)[1:]
	}
	header := http.Header{"Replay-Nonce": {"AAAA"}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(`{"newNonce":"https://ca.example/nonce","newAccount":"https://ca.example/account","newOrder":"https://ca.example/order"}`)), Request: request}, nil
}

// logged returns a context with a log, and what gives the attempts and statuses of its lines.
func logged(t *testing.T) (context.Context, func() []string) {
	var out bytes.Buffer
	ctx := logging.With(t.Context(), slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	return ctx, func() (lines []string) {
		t.Helper()
		for line := range bytes.Lines(out.Bytes()) {
			var record struct{ Attempt, Status int }
			if err := json.Unmarshal(line, &record); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, fmt.Sprint(record.Attempt, " ", record.Status))
		}
		return lines
	}
}

// TestAttemptsAreLogged: each exchange with a CA says how often it was made.
func TestAttemptsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, lines := logged(t)
		web := newWeb("est", TLS{})
		web.client.Transport = logging.Transport(&answering{503, 429, 200, 503})
		if _, err := web.do(ctx, nil, webRequest{method: http.MethodGet, target: "https://ca.example/cacerts"}); err != nil {
			t.Error(err)
		}
		if _, err := web.do(ctx, nil, webRequest{method: http.MethodGet, target: "https://ca.example/cacerts"}); err == nil {
			t.Error("503 is taken")
		}
		if want := []string{"1 503", "2 429", "3 200", "1 503", "2 503", "3 503", "4 503"}; !slices.Equal(lines(), want) {
			t.Errorf("%q", lines())
		}
	})
}

// TestACMEAttemptsAreLogged: those that the library makes again by itself as well.
func TestACMEAttemptsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, lines := logged(t)
		counted := &countedACME{base: logging.Transport(&answering{503, 500, 200, 200, 503})}
		for _, want := range []int{200, 200, 503} {
			// A client keeps what it discovered.
			client := &acme.Client{HTTPClient: &http.Client{Transport: counted}, DirectoryURL: "https://ca.example/directory", RetryBackoff: counted.retry}
			var refused *acme.Error
			if _, err := client.Discover(ctx); errors.As(err, &refused) != (want != 200) {
				t.Error(err)
			}
		}
		if want := []string{"1 503", "2 500", "3 200", "1 200", "1 503", "2 503", "3 503", "4 503"}; !slices.Equal(lines(), want) {
			t.Errorf("%q", lines())
		}
	})
}
