package batch

import (
	"path/filepath"
	"testing"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// oneTask is a task in a ledger of its own, and a session that has it.
func oneTask(t *testing.T) (*session, ledger.Task) {
	t.Helper()
	l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	run, err := l.Begin(t.Context(), ledger.Run{Source: "people.csv"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Put(t.Context(), run, []ledger.Entry{{Email: "ada@lab.example", Pairs: []ledger.Pair{{Use: "both", LeafSHA256: "1"}}}}, false); err != nil {
		t.Fatal(err)
	}
	e, release := newEngine(t.Context(), Options{Ledger: l}.withDefaults())
	t.Cleanup(release)
	tasks, err := l.Claim(t.Context(), run, "w", nil, 1)
	if err != nil || len(tasks) != 1 {
		t.Fatal(tasks, err)
	}
	return &session{engine: e, id: "w"}, tasks[0]
}

// TestOneUserWhoseCredentialsFail while others get through fails in the end.
func TestOneUserWhoseCredentialsFail(t *testing.T) {
	s, task := oneTask(t)
	refused := &gmail.Error{Kind: gmail.KindCredentials}
	entry := task.Entry
	var err error
	for ; err == nil && entry.State == ledger.StateWaiting; task.Attempts++ {
		s.record(t.Context(), task, false, refused, acquire(t, s.engine.options.Limiter).release(refused))
		acquire(t, s.engine.options.Limiter).release(nil)
		entry, _, err = s.engine.options.Ledger.Entry(t.Context(), task.Email)
	}
	if err != nil || entry.State != ledger.StateFailed || entry.Attempts != breakAfter+1 || s.engine.soft.Err() != nil {
		t.Errorf("%+v %v", entry, err)
	}
}
