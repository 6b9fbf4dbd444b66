package logging_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/cse-piv/cse-piv/internal/logging"
)

// TestAdding: what the context says of a line stands in it once, the nearest counts, and
// where there is no log there is nothing.
func TestAdding(t *testing.T) {
	var out bytes.Buffer
	options := &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	outer := logging.Adding(logging.With(t.Context(), slog.New(slog.NewTextHandler(&out, options))), logging.Run, 7, logging.Attempt, 3)
	inner := logging.Adding(outer, logging.Attempt, 1, logging.Email, "ada@lab.example")
	expect := func(want string) {
		t.Helper()
		if out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
		out.Reset()
	}
	logging.Write(inner, slog.LevelWarn, "a line", slog.String("reason", "x"), slog.Int(logging.Run, 8))
	expect("level=WARN msg=\"a line\" run=8 attempt=1 email=ada@lab.example reason=x\n")
	logging.Write(outer, slog.LevelInfo, "a line")
	expect("level=INFO msg=\"a line\" run=7 attempt=3\n")
	logging.From(inner).Info("a line", "more", true)
	expect("level=INFO msg=\"a line\" run=7 attempt=1 email=ada@lab.example more=true\n")
	if logging.Says(outer, logging.Email) || !logging.Says(inner, logging.Email) {
		t.Error("what the context says")
	}
	logging.Write(inner, slog.LevelDebug, "below the level")
	logging.Write(t.Context(), slog.LevelError, "no log")
	logging.From(logging.Adding(t.Context(), logging.Run, 1)).Error("no log")
	expect("")
}
