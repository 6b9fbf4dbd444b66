package ledger

import (
	"context"
	"testing"
)

// TestActions: what was begun stays to be seen, whatever came of it.
func TestActions(t *testing.T) {
	onEachStore(t, func(t *testing.T, url string) {
		l := mustOpen(t, url)
		begin := func(email, object string) int64 {
			id, err := l.BeginAction(t.Context(), Action{Email: email, Verb: "keypair disable", Object: object, Operator: "op", Reason: "lost"})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		done, _, refused := begin("Ada@Example.com", "1"), begin("ada@example.com", "2"), begin("bob@example.com", "3")
		stopped, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.EndAction(stopped, done, OutcomeDone, ""); err != nil {
			t.Error(err)
		}
		if err := l.EndAction(t.Context(), refused, OutcomeRefused, "not typed"); err != nil {
			t.Error(err)
		}
		of := func(email string) []Action {
			actions, err := l.Actions(t.Context(), email)
			if err != nil {
				t.Fatal(err)
			}
			return actions
		}
		ada := of("ADA@example.com")
		if len(ada) != 2 || ada[0].Email != "Ada@Example.com" || ada[0].Outcome != OutcomeDone || ada[0].Ended.IsZero() ||
			ada[1].Outcome != "" || !ada[1].Ended.IsZero() || ada[1].Reason != "lost" || ada[1].Object != "2" || ada[1].Started.IsZero() {
			t.Errorf("%+v", ada)
		}
		if all := of(""); len(all) != 3 || all[2].Outcome != OutcomeRefused || all[2].Message != "not typed" {
			t.Errorf("%+v", all)
		}
	})
}
