package batchcmd

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestProgressAsJSON pins the names, and how fast it goes and how long it takes.
func TestProgressAsJSON(t *testing.T) {
	var out strings.Builder
	progress := newBatchProgress(&stdio.Streams{Out: &out}, true)
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
	progress := newBatchProgress(&stdio.Streams{Err: &out}, false)
	for _, wait := range []time.Duration{90 * time.Second, 5 * time.Minute} {
		progress.event(batch.Event{Kind: batch.KindRetry, Email: "ada@x", Where: "people.csv line 2", Message: "too many requests", Wait: wait})
	}
	progress.close()
	if want := "cse-piv: people.csv line 2: ada@x: too many requests; tried again in 5m0s\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// TestWhereTheRestIs: of a dry run without a report nothing is kept, and none is named.
func TestWhereTheRestIs(t *testing.T) {
	for lost, want := range map[bool]string{false: "cse-piv: 3 further failures and warnings are in the report\n", true: "cse-piv: 3 further failures and warnings are shown by --report FILE.html\n"} {
		var out strings.Builder
		progress := newBatchProgress(&stdio.Streams{Err: &out}, false)
		progress.lost, progress.quiet = lost, 3
		if progress.close(); out.String() != want {
			t.Errorf("%v: %q", lost, out.String())
		}
	}
}

// TestStallsAreTold: since when nobody gets through, why, who waits and when the
// next try is; what helps once, and when it is over.
func TestStallsAreTold(t *testing.T) {
	stall := &batch.Outage{For: 4 * time.Second, Cause: errors.New("refused"), Next: 2500 * time.Millisecond}
	paused := &batch.Outage{For: 70 * time.Second, Cause: errors.New("refused"), Paused: true, Next: 40 * time.Second}
	silent := &batch.Outage{For: 25 * time.Second}
	waiting := &ledger.Counts{Total: 5000, Done: 40, Waiting: 4960}
	events := []batch.Event{
		{Kind: batch.KindStalled, Run: 7, Message: "no connection", Hint: "check the network", Counts: waiting, Outage: stall},
		{Kind: batch.KindPaused, Run: 7, Message: "no connection", Hint: "check the network", Counts: waiting, Outage: paused},
		{Kind: batch.KindProgress, Run: 7, Counts: waiting, Outage: paused},
		{Kind: batch.KindResumed, Run: 7},
		{Kind: batch.KindStalled, Message: "no call is answered", Outage: silent}, // of a worker
	}
	var out, lines strings.Builder
	person, program := newBatchProgress(&stdio.Streams{Err: &out}, false), newBatchProgress(&stdio.Streams{Out: &lines}, true)
	for _, e := range events {
		person.event(e)
		program.event(e)
		if e.Kind == batch.KindProgress && person.tally.Stalled != "paused, next try in 40 s" {
			t.Errorf("%q is shown beside the bar", person.tally.Stalled)
		}
	}
	if diff := cmp.Diff(`cse-piv: nobody has got through for 4 s: no connection; 4,960 users wait; next try in 3 s
cse-piv: hint: check the network
cse-piv: paused: nobody has got through for 1 min 10 s: no connection; 4,960 users wait, and one is tried from time to time; next try in 40 s
cse-piv: somebody got through: going on
cse-piv: nobody has got through for 25 s: no call is answered
`, out.String()); diff != "" {
		t.Error(diff)
	}
	got := strings.ReplaceAll(lines.String(), `"time":"0001-01-01T00:00:00Z",`, "")
	if diff := cmp.Diff(`{"event":"stalled","run":7,"message":"no connection","hint":"check the network","counts":{"total":5000,"done":40,"earlier":0,"failed":0,"waiting":4960},"stalled_seconds":4,"next_try_seconds":2.5}
{"event":"paused","run":7,"message":"no connection","hint":"check the network","counts":{"total":5000,"done":40,"earlier":0,"failed":0,"waiting":4960},"stalled_seconds":70,"paused":true,"next_try_seconds":40}
{"event":"progress","run":7,"counts":{"total":5000,"done":40,"earlier":0,"failed":0,"waiting":4960},"stalled_seconds":70,"paused":true,"next_try_seconds":40}
{"event":"resumed","run":7}
{"event":"stalled","message":"no call is answered","stalled_seconds":25}
`, got); diff != "" {
		t.Error(diff)
	}
}
