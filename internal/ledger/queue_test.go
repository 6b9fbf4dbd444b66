package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestQueue: who waits is counted as Claim gives them out.
func TestQueue(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		count := func(run int64, want ledger.Queue) {
			t.Helper()
			if got, err := l.Queue(t.Context(), run); err != nil || got != want {
				t.Errorf("%+v, want %+v, %v", got, want, err)
			}
		}
		count(0, ledger.Queue{})
		run := begin(t, l)
		put(t, l, run, asked("done@x", 1, "1"), asked("later@x", 2, "2"), asked("now@x", 3, "3"))
		count(run, ledger.Queue{Waiting: 3, Due: 3})
		count(0, ledger.Queue{}) // its source was not read to its end
		if err := l.MarkRead(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		register(t, l, "done@x")
		task, ok, err := claim(t, l, "later@x", "w")
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if err := l.RecordRetry(t.Context(), task, time.Hour); err != nil {
			t.Fatal(err)
		}
		count(0, ledger.Queue{Waiting: 2, Due: 1})
		count(run, ledger.Queue{Waiting: 2, Due: 1})
		count(run+1, ledger.Queue{})
	})
}

// TestPing: a ledger answers until it is closed, and within the time that it is given.
func TestPing(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		if err := l.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Ping(ended); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if l.Ping(t.Context()) == nil {
			t.Error("a closed ledger answers")
		}
	})
}
