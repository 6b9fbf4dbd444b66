package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestProgressAsJSON pins the names, and how fast it goes and how long it takes.
func TestProgressAsJSON(t *testing.T) {
	var out strings.Builder
	progress := newBatchProgress(&Streams{Out: &out}, true)
	at := func(seconds int) time.Time { return time.Date(2026, 1, 2, 3, 4, seconds, 0, time.UTC) }
	for _, e := range []batch.Event{
		{Time: at(0), Kind: batch.KindStarted, Run: 7, Counts: &ledger.Counts{Total: 100, Done: 40, Waiting: 60}},
		{Time: at(1), Kind: batch.KindRetry, Run: 7, Email: "ada@x", Where: "people.csv line 2", Reason: "unavailable", Message: "503", Hint: "wait", Wait: 1500 * time.Millisecond},
		{Time: at(5), Kind: batch.KindProgress, Run: 7, Counts: &ledger.Counts{Total: 100, Done: 50, Failed: 10, Waiting: 40}},
	} {
		progress.event(e)
	}
	want := `{"time":"2026-01-02T03:04:00Z","event":"started","run":7,"counts":{"total":100,"done":40,"earlier":0,"failed":0,"waiting":60}}
{"time":"2026-01-02T03:04:01Z","event":"retry","run":7,"email":"ada@x","where":"people.csv line 2","reason":"unavailable","message":"503","hint":"wait","left_seconds":1.5}
{"time":"2026-01-02T03:04:05Z","event":"progress","run":7,"counts":{"total":100,"done":50,"earlier":0,"failed":10,"waiting":40},"rate":4,"left_seconds":10}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// TestLongWaitsAreTold: a person sees why nothing happens for minutes.
func TestLongWaitsAreTold(t *testing.T) {
	var out strings.Builder
	progress := newBatchProgress(&Streams{Err: &out}, false)
	for _, wait := range []time.Duration{90 * time.Second, 5 * time.Minute} {
		progress.event(batch.Event{Kind: batch.KindRetry, Email: "ada@x", Where: "people.csv line 2", Message: "too many requests", Wait: wait})
	}
	progress.close()
	if want := "cse-piv: people.csv line 2: ada@x: too many requests; tried again in 5m0s\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
