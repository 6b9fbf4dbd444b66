package ledger

import (
	"slices"
	"testing"
)

// TestFindings: other key pairs of a user's certificates are kept through later
// runs, counted, and forgotten when they are gone.
func TestFindings(t *testing.T) {
	onEachStore(t, func(t *testing.T, url string) {
		l := mustOpen(t, url)
		people := []Entry{
			{Email: "Ada@lab.example", Where: "line 1", Line: 1, Pairs: []Pair{{Use: "sign", LeafSHA256: "a1"}, {Use: "encrypt", LeafSHA256: "a2"}}},
			{Email: "bob@lab.example", Where: "line 2", Line: 2, Pairs: []Pair{{Use: "both", LeafSHA256: "b"}}},
		}
		begin := func() int64 {
			t.Helper()
			run, err := l.Begin(t.Context(), Run{Source: "people.csv"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.Put(t.Context(), run, people, false); err != nil {
				t.Fatal(err)
			}
			return run
		}
		finish := func(email string, change func(*Task)) {
			t.Helper()
			task := mustClaim(t, l, email)
			change(&task)
			for _, pair := range task.Pairs {
				if err := l.RecordKeyPair(t.Context(), task, pair); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.RecordFindings(t.Context(), task); err != nil {
				t.Fatal(err)
			}
			if err := l.RecordDone(t.Context(), task, "w", false); err != nil {
				t.Fatal(err)
			}
		}
		check := func(run int64, users int, example string) {
			t.Helper()
			if n, who, err := l.Superfluous(t.Context(), run); err != nil || n != users || who != example {
				t.Errorf("%d users, for example %q, %v; want %d, %q", n, who, err, users, example)
			}
		}
		run := begin()
		check(run, 0, "")
		finish("ada@lab.example", func(task *Task) {
			for i := range task.Pairs {
				task.Pairs[i].KeyPairID, task.Pairs[i].Superfluous = "id", []string{"x", "y"}
			}
			task.Pairs[1].InKeyService = []string{"z"}
			task.Warnings = append(task.Warnings, "told \x00 so")
		})
		finish("bob@lab.example", func(task *Task) { task.Pairs[0].KeyPairID = "id" })
		check(run, 1, "Ada@lab.example")
		for _, later := range []bool{false, true} {
			if later {
				run = begin()
				check(run, 1, "Ada@lab.example")
			}
			entry, _, err := l.Entry(t.Context(), "ada@lab.example")
			if err != nil || !slices.Equal(entry.Pairs[0].Superfluous, []string{"x", "y"}) || entry.Pairs[0].InKeyService != nil ||
				!slices.Equal(entry.Pairs[1].InKeyService, []string{"z"}) || (len(entry.Warnings) == 1) == later {
				t.Errorf("%+v %v", entry, err)
			}
		}
		finish("ada@lab.example", func(task *Task) {
			for i := range task.Pairs {
				task.Pairs[i].Superfluous = nil
			}
		})
		check(run, 0, "")
	})
}
