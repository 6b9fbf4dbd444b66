package ledger_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// whole is everything that a report reads of a run.
type whole struct {
	Run      ledger.Run
	Counts   ledger.Counts
	Groups   []ledger.Group
	Entries  []ledger.Entry
	Progress []ledger.Point
	Users    int
	Example  string
}

func readWhole(t *testing.T, l *ledger.Ledger, run int64) whole {
	t.Helper()
	var w whole
	var errs [5]error
	w.Run, errs[0] = l.Run(t.Context(), run)
	w.Counts, errs[1] = l.Counts(t.Context(), run)
	w.Groups, errs[2] = l.Groups(t.Context(), run)
	w.Progress, errs[3] = l.Progress(t.Context(), run, 5)
	w.Users, w.Example, errs[4] = l.Superfluous(t.Context(), run)
	for entry, err := range l.Entries(t.Context(), run) {
		if err != nil {
			t.Fatal(err)
		}
		w.Entries = append(w.Entries, entry)
	}
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestRunsKeepTheirHistory: whatever later runs and desks do to its users, a run that
// has ended is read as it was then: who, what, when and with which outcome.
func TestRunsKeepTheirHistory(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		first := begin(t, l)
		unreadable := asked("broken@x", 4)
		unreadable.State, unreadable.Class, unreadable.Reason, unreadable.Message = ledger.StateFailed, ledger.ClassRow, "unreadable", "it cannot be read"
		put(t, l, first, asked("done@x", 1, "d"), asked("Failed@x", 2, "f"), asked("desk@x", 3, "k"), unreadable)
		register(t, l, "done@x")
		for _, email := range []string{"failed@x", "desk@x"} {
			task, _, err := claim(t, l, email, "w")
			if err != nil {
				t.Fatal(err)
			}
			task.Class, task.Reason, task.Message, task.Hint = ledger.ClassAdministrator, "cse-off", "it is off", "turn it on"
			task.Warnings, task.Pairs[0].Superfluous = []string{"it is old"}, []string{"other-id"}
			if err := errors.Join(l.RecordFindings(t.Context(), task), l.RecordFailure(t.Context(), task, "w")); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(l.MarkRead(t.Context(), first), l.Finish(t.Context(), first)); err != nil {
			t.Fatal(err)
		}
		before := readWhole(t, l, first)
		if before.Counts != (ledger.Counts{Total: 4, Done: 1, Failed: 3}) || len(before.Groups) != 2 || before.Users != 2 || before.Example != "desk@x" || before.Run.Partial {
			t.Fatalf("%+v", before)
		}
		check := func(after string) {
			t.Helper()
			if diff := cmp.Diff(before, readWhole(t, l, first)); diff != "" {
				t.Errorf("after %s: %s", after, diff)
			}
		}
		if err := l.Enter(t.Context(), enrolled("desk@x", "k2"), nil); err != nil {
			t.Fatal(err)
		}
		check("a desk")
		second := begin(t, l)
		put(t, l, second, asked("failed@x", 7, "f"), asked("done@x", 8, "d2"), asked("broken@x", 9, "b"), asked("desk@x", 10, "k2"))
		check("the second run's reading")
		register(t, l, "failed@x")
		register(t, l, "done@x")
		check("the second run's work")
		interrupted := readWhole(t, l, second)
		if interrupted.Counts != (ledger.Counts{Total: 4, Done: 2, Waiting: 2, WaitingAgain: 1}) || !interrupted.Run.Finished.IsZero() {
			t.Errorf("%+v", interrupted)
		}
		third := begin(t, l)
		put(t, l, third, asked("broken@x", 1, "b"))
		check("the third run")
		overtaken := readWhole(t, l, second)
		if overtaken.Counts != (ledger.Counts{Total: 4, Done: 2, Waiting: 1, WaitingAgain: 1, TakenOver: 1}) || !overtaken.Entries[2].TakenOver || overtaken.Entries[2].State != ledger.StateWaiting {
			t.Errorf("%+v", overtaken)
		}
		// Of an earlier run that reads on: whom the later one has it has not, and it says so.
		if got := put(t, l, second, asked("broken@x", 20, "b")); !got[0].TakenOver || got[0].Run != second {
			t.Errorf("%+v", got)
		}
		if got := put(t, l, first, asked("new@x", 30, "n"), asked("broken@x", 31, "b")); got[0].TakenOver || got[0].State != ledger.StateWaiting {
			t.Errorf("%+v", got)
		}
	})
}

// TestManyUsersOfAPastRun: a page after the other, in order, some of them taken over.
func TestManyUsersOfAPastRun(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		first := begin(t, l)
		var all, some []ledger.Entry
		for n := range 2300 {
			all = append(all, asked("user"+strconv.Itoa(n)+"@x", n+1, strconv.Itoa(n)))
			if n%3 == 0 {
				some = append(some, all[n])
			}
		}
		put(t, l, first, all...)
		put(t, l, begin(t, l), some...)
		lines, taken := []int{}, 0
		for entry, err := range l.Entries(t.Context(), first) {
			if err != nil {
				t.Fatal(err)
			}
			if lines = append(lines, entry.Line); entry.TakenOver {
				taken++
			}
			if len(entry.Pairs) != 1 || entry.Pairs[0].LeafSHA256 != leaf(strconv.Itoa(entry.Line-1)) {
				t.Fatalf("%+v", entry)
			}
		}
		if len(lines) != len(all) || !slices.IsSorted(lines) || taken != len(some) {
			t.Errorf("%d users, %d taken over, in order %v", len(lines), taken, slices.IsSorted(lines))
		}
	})
}

// TestReadOnlyFolder: a ledger can be looked at where nothing can be written beside
// it, whether its process ended or was killed.
func TestReadOnlyFolder(t *testing.T) {
	for name, killed := range map[string]bool{"ended": false, "killed": true} {
		t.Run(name, func(t *testing.T) {
			// Not t.TempDir: nobody else may enter that.
			dir, err := os.MkdirTemp("", "readonly")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			path := filepath.Join(dir, "ledger.db")
			l := open(t, filepath.Join(t.TempDir(), "ledger.db"))
			put(t, l, begin(t, l), asked("ada@x", 1, "a"), asked("bob@x", 2, "b"))
			if !killed {
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
			}
			for _, suffix := range []string{"", "-wal"} {
				data, err := os.ReadFile(l.Name() + suffix)
				if errors.Is(err, os.ErrNotExist) && suffix != "" && !killed {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path+suffix, data, 0o444); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(dir, 0o555); err != nil {
				t.Fatal(err)
			}
			look := child("look", path)
			unprivileged(t, look)
			if out, err := look.CombinedOutput(); err != nil || string(out) != "2 users" {
				t.Errorf("%s %v", out, err)
			}
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if files, err := os.ReadDir(dir); err != nil || slices.ContainsFunc(files, func(f os.DirEntry) bool { return strings.HasSuffix(f.Name(), "-shm") }) {
				t.Errorf("%v %v", files, err)
			}
		})
	}
}
