package evidence_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/evidence"
)

// FuzzJournal feeds what may stand in a journal's file: what is read can be written
// and read again, and what cannot is told with the folder's name.
func FuzzJournal(f *testing.F) {
	for _, seed := range []string{
		`{"version":1,"email":"ada@example.com","serial":42,"keys":{"9d":{"generating":"2026-11-23T12:00:00Z","replaces":"ab"}}}`,
		`{"version":1,"keys":null,"plan":[{"slot":"9d"}],"escrow":["x"],"secrets":{"pin":{"state":"set"}}}`, `{"version":2}`,
		`{"version":1,"replaces":{"reason":"lost","cards":[42],"key_pairs":"leave","agreed":["disable x"],"ended":"2026-11-23T12:00:00Z"}}`, `{`, `null`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	folder, err := evidence.Begin(f.TempDir(), "ada@example.com", 42, now)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := folder.Write("journal.json", data); err != nil {
			t.Fatal(err)
		}
		journal, err := folder.Journal()
		if err != nil {
			var broken *evidence.JournalError
			if !errors.As(err, &broken) {
				t.Fatalf("%v", err)
			}
			return
		}
		if journal.Keys == nil || journal.Version != 1 {
			t.Fatalf("%+v", journal)
		}
		if err := folder.WriteJournal(journal); err != nil {
			t.Skip("a time that JSON cannot carry")
		}
		again, err := folder.Journal()
		if err != nil || !cmp.Equal(journal, again) {
			t.Fatalf("%v: %s", err, cmp.Diff(journal, again))
		}
	})
}
