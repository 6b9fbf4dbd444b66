package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// enrolled is what a desk enters.
func enrolled(email string, leaves ...string) ledger.Entry {
	e := asked(email, 0, leaves...)
	e.Where, e.Worker = "card 12345678", "grace@desk"
	for i := range e.Pairs {
		e.Pairs[i].KeyPairID, e.Pairs[i].Created = "id-"+leaves[i], true
	}
	return e
}

func TestWhatADeskEnters(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		enter := func(e ledger.Entry) ledger.Entry {
			t.Helper()
			if err := l.Enter(t.Context(), e, nil); err != nil {
				t.Fatal(err)
			}
			return entry(t, l, e.Email)
		}
		first := enter(enrolled("Ada@lab.example", "one"))
		if first.State != ledger.StateDone || first.Step != ledger.StepEnrolled || first.Run != 0 || first.Worker != "grace@desk" || first.Updated.IsZero() || first.Pairs[0].KeyPairID != "id-one" {
			t.Errorf("%+v", first)
		}
		// A batch that has the same certificate finds it done.
		if got := put(t, l, begin(t, l), asked("ada@lab.example", 1, "one")); !got[0].Earlier {
			t.Errorf("not known to the batch: %+v", got[0])
		}
		register(t, l, "ada@lab.example")
		before := entry(t, l, "ada@lab.example")
		same := enrolled("ada@lab.example", "one")
		same.Pairs[0].KeyPairID = before.Pairs[0].KeyPairID
		if diff := cmp.Diff(before, enter(same)); diff != "" {
			t.Error("the same again changed something:", diff)
		}
		// A new card: what was there before is not forgotten.
		second := enter(enrolled("ada@lab.example", "two"))
		if len(second.Pairs) != 1 || second.Pairs[0].KeyPairID != "id-two" || second.Step != ledger.StepEnrolled {
			t.Errorf("%+v", second)
		}
		earlier, err := l.EarlierPairs(t.Context(), "ada@lab.example")
		if err != nil || len(earlier) != 1 || earlier[0].LeafSHA256 != leaf("one") {
			t.Error(earlier, err)
		}
	})
}

// TestADeskTakesNobodyOutOfARun: the run's counts, report and chart keep what became
// of the user in it, whom a desk brought to another end later; of one who waits in it
// they take what the desk did.
func TestADeskTakesNobodyOutOfARun(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		run := begin(t, l)
		put(t, l, run, asked("ada@x", 1, "a"), asked("bob@x", 2, "b"), asked("eve@x", 3, "e"))
		register(t, l, "ada@x")
		task, _, err := claim(t, l, "bob@x", "w")
		if err != nil {
			t.Fatal(err)
		}
		task.Class, task.Reason, task.Message = ledger.ClassAdministrator, "cse-off", "it is off"
		if err := errors.Join(l.RecordFailure(t.Context(), task, "w"), l.Enter(t.Context(), enrolled("eve@x", "e2"), nil), l.Finish(t.Context(), run)); err != nil {
			t.Fatal(err)
		}
		finished, err := l.Run(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond) // the ledger counts milliseconds
		if err := l.Enter(t.Context(), enrolled("Bob@x", "b2"), nil); err != nil {
			t.Fatal(err)
		}
		if counts, err := l.Counts(t.Context(), run); err != nil || counts != (ledger.Counts{Total: 3, Done: 2, Failed: 1}) {
			t.Error(counts, err)
		}
		bob := entry(t, l, "bob@x")
		if eve := entry(t, l, "eve@x"); eve.Run != run || eve.Where != "people.csv line 3" || eve.Step != ledger.StepEnrolled {
			t.Errorf("%+v", eve)
		}
		if bob.Run != 0 || bob.Where != "card 12345678" || bob.Step != ledger.StepEnrolled || bob.Worker != "grace@desk" || bob.Message != "" {
			t.Errorf("%+v", bob)
		}
		points, err := l.Progress(t.Context(), run, 4)
		if err != nil || points[4].Done != 2 || points[4].Failed != 1 || points[4].Time.After(finished.Finished.Add(time.Millisecond)) {
			t.Errorf("%+v %v; finished %v", points, err, finished.Finished)
		}
		// A later run with the same certificate finds that it was done before.
		later := begin(t, l)
		if got := put(t, l, later, asked("bob@x", 3, "b2")); !got[0].Earlier || got[0].Step != ledger.StepEnrolled {
			t.Errorf("%+v", got[0])
		}
	})
}

// TestADeskOvertakesABatch: what the batch began is recorded no more.
func TestADeskOvertakesABatch(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		put(t, l, begin(t, l), asked("ada@lab.example", 1, "one"))
		task, ok, err := claim(t, l, "ada@lab.example", "w")
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if err := l.Enter(t.Context(), enrolled("ada@lab.example", "two"), nil); err != nil {
			t.Fatal(err)
		}
		if err := l.RecordDone(t.Context(), task, "w", false); !errors.Is(err, ledger.ErrChanged) {
			t.Error(err)
		}
		if got := entry(t, l, "ada@lab.example"); got.Pairs[0].LeafSHA256 != leaf("two") || got.State != ledger.StateDone {
			t.Errorf("%+v", got)
		}
	})
}
