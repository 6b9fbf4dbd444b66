package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/logging"
)

// logTo returns a context whose log is written to out.
func logTo(ctx context.Context, out *bytes.Buffer, level slog.Level) context.Context {
	return logging.With(ctx, slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})))
}

// TestTransport: an exchange is a line of the log, without what is secret of it, and
// nothing is written above level debug or without a log.
func TestTransport(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Answer", "canary-answer-header")
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("canary-answer"))
	}))
	defer server.Close()
	client := &http.Client{Transport: logging.Transport(http.DefaultTransport)}
	exchange := func(ctx context.Context, address string) {
		t.Helper()
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader("canary-body"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer canary-token")
		if response, err := client.Do(request); err == nil {
			response.Body.Close()
		}
	}
	var out bytes.Buffer
	ctx := logging.Adding(logTo(t.Context(), &out, slog.LevelDebug), "attempt", 2)
	exchange(ctx, server.URL+"/some%2Fpath?canary-query=1")
	var line struct {
		Level, Msg, Method, Host, Path string
		Status, Attempt                int
		Seconds                        *float64
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	if line.Level != "DEBUG" || line.Msg != "http" || line.Method != "POST" || line.Path != "/some%2Fpath" || "http://"+line.Host != server.URL || line.Status != 418 || line.Attempt != 2 || line.Seconds == nil {
		t.Errorf("%s", out.String())
	}
	server.Close()
	exchange(ctx, server.URL+"/gone")
	if strings.Contains(out.String(), "canary") {
		t.Errorf("too much is written: %s", out.String())
	}
	if !strings.Contains(out.String(), `"error":`) {
		t.Errorf("an exchange that failed does not say why: %s", out.String())
	}
	out.Reset()
	exchange(logTo(t.Context(), &out, slog.LevelInfo), server.URL)
	exchange(t.Context(), server.URL)
	if out.Len() > 0 {
		t.Errorf("not asked for: %s", out.String())
	}
}
