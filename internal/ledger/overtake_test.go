package ledger_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

func TestSeveralRuns(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		for name, test := range map[string]func(*testing.T, *ledger.Ledger){
			"same people":         testRunsOnTheSamePeople,
			"rows entered before": testRowsThatWereEnteredBefore,
			"workers finish":      testWorkersFinishARun,
			"passing trouble":     testPassingTroubleOfAnEarlierUser,
		} {
			t.Run(name, func(t *testing.T) { test(t, l) })
		}
	})
}

// testRunsOnTheSamePeople: two read the same source at the same time. The later one
// has everybody in the end, and sees an address that is there twice.
func testRunsOnTheSamePeople(t *testing.T, l *ledger.Ledger) {
	first, second := begin(t, l), begin(t, l)
	put(t, l, first, asked("u@x", 1, "a"))
	put(t, l, second, asked("u@x", 1, "a"))
	if got := put(t, l, first, asked("u@x", 2, "b")); got[0].Run != first || !got[0].TakenOver || got[0].State != ledger.StateWaiting {
		t.Errorf("%+v", got)
	}
	if got := put(t, l, second, asked("u@x", 2, "b")); got[0].Reason != "address-twice" {
		t.Errorf("%+v", got)
	}
}

// testRowsThatWereEnteredBefore: the answer was lost, and they are entered again.
func testRowsThatWereEnteredBefore(t *testing.T, l *ledger.Ledger) {
	run := begin(t, l)
	bad := asked("bad@x", 3)
	bad.State, bad.Class, bad.Reason = ledger.StateFailed, ledger.ClassRow, "unreadable"
	all := []ledger.Entry{asked("row@x", 1, "a"), asked("twice@x", 2, "b"), bad}
	before := put(t, l, run, all...)
	if diff := cmp.Diff(before, put(t, l, run, all...), cmpopts.IgnoreFields(ledger.Entry{}, "Updated")); diff != "" {
		t.Error(diff)
	}
}

// testWorkersFinishARun: nobody of it waits any more.
func testWorkersFinishARun(t *testing.T, l *ledger.Ledger) {
	run, empty := begin(t, l), begin(t, l)
	put(t, l, run, asked("a@x", 1, "a"), asked("b@x", 2, "b"))
	register(t, l, "a@x")
	if err := l.MarkRead(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if r, err := l.Run(t.Context(), run); err != nil || !r.Finished.IsZero() {
		t.Errorf("%+v %v", r, err)
	}
	register(t, l, "b@x")
	at := entry(t, l, "b@x").Updated
	if r, err := l.Run(t.Context(), run); err != nil || !r.Finished.Equal(at) || r.Finished.Before(r.Read) {
		t.Errorf("%+v %v, the last one ended at %v", r, err, at)
	}
	if runs, err := l.Runs(t.Context()); err != nil || len(runs) < 2 || runs[0].ID != empty || !runs[0].Finished.IsZero() || runs[1].Finished.IsZero() {
		t.Errorf("%+v %v", runs, err)
	}
}

// testPassingTroubleOfAnEarlierUser: who was done by an earlier run stays that.
func testPassingTroubleOfAnEarlierUser(t *testing.T, l *ledger.Ledger) {
	put(t, l, begin(t, l), asked("earlier@x", 1, "u"))
	register(t, l, "earlier@x")
	before := entry(t, l, "earlier@x")
	put(t, l, begin(t, l), asked("earlier@x", 1, "u"))
	task, _, err := claim(t, l, "earlier@x", "w")
	if err != nil {
		t.Fatal(err)
	}
	task.Class, task.Reason, task.Message, task.Attempts = ledger.ClassLater, "unavailable", "503", 1
	if err := l.RecordRetry(t.Context(), task, 0); err != nil {
		t.Fatal(err)
	}
	if e := entry(t, l, "earlier@x"); e.State != ledger.StateWaiting || !e.Earlier || e.Reason != "unavailable" || e.Attempts != 1 {
		t.Errorf("%+v", e)
	}
	if task, _, err = claim(t, l, "earlier@x", "w"); err != nil {
		t.Fatal(err)
	}
	if err := l.RecordDone(t.Context(), task, "bob", true); err != nil {
		t.Fatal(err)
	}
	if e := entry(t, l, "earlier@x"); e.State != ledger.StateDone || !e.Earlier || !e.Updated.Equal(before.Updated) || e.Worker != before.Worker || e.Message != "" {
		t.Errorf("%+v, before %+v", e, before)
	}
}
