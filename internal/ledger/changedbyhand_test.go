package ledger_test

import (
	"testing"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestChangedByHand: who was changed by hand since the last run looked is not taken to be
// registered, also where the ledger is trusted.
func TestChangedByHand(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		first := begin(t, l)
		everybody := []ledger.Entry{asked("deleted@x", 1, "a"), asked("disabled@x", 2, "b"), asked("other@x", 3, "c"), asked("refused@x", 4, "d"), asked("same@x", 5, "e")}
		put(t, l, first, everybody...)
		act := func(email, object string, outcome ledger.Outcome) {
			t.Helper()
			id, err := l.BeginAction(t.Context(), ledger.Action{Email: email, Verb: "verb", Object: object, Operator: "op"})
			if err == nil && outcome != "" {
				err = l.EndAction(t.Context(), id, outcome, "")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range everybody {
			register(t, l, e.Email)
		}
		act("Deleted@x", "", ledger.OutcomeDone)
		act("disabled@x", entry(t, l, "disabled@x").Pairs[0].KeyPairID, "") // interrupted: nobody knows
		act("other@x", "another key pair", ledger.OutcomeDone)
		act("refused@x", "", ledger.OutcomeRefused)
		changed, err := l.ChangedByHand(t.Context(), everybody)
		if err != nil || len(changed) != 2 || changed["deleted@x"].Verb != "verb" || changed["disabled@x"].Operator != "op" {
			t.Errorf("%+v, %v", changed, err)
		}
		trusting := begin(t, l)
		got, err := l.Put(t.Context(), trusting, everybody, true)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []ledger.State{ledger.StateWaiting, ledger.StateWaiting, ledger.StateDone, ledger.StateDone, ledger.StateDone} {
			if got[i].State != want {
				t.Errorf("%s is %s, want %s", got[i].Email, got[i].State, want)
			}
		}
		if changed, err := l.ChangedByHand(t.Context(), nil); err != nil || len(changed) != 0 {
			t.Errorf("%+v, %v", changed, err)
		}
	})
}
