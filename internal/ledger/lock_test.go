package ledger_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestALinkToALedgerIsThatLedger: it is held under each of its names, also when
// the link was there before the file.
func TestALinkToALedgerIsThatLedger(t *testing.T) {
	dir := t.TempDir()
	link, file := filepath.Join(dir, "link.db"), filepath.Join(dir, "ledger.db")
	if err := os.Symlink("ledger.db", link); err != nil {
		t.Skip("NOT TESTED: ", err) // Windows without the right to it
	}
	for _, names := range [][]string{{link, file, link}, {file, link}} {
		l, err := ledger.Open(t.Context(), names[0], ledger.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names[1:] {
			_, err := ledger.Open(t.Context(), name, ledger.Options{})
			var held *ledger.InUseError
			if !errors.As(err, &held) || held.Path != name || held.Holder == "" {
				t.Errorf("%s while %s is open: %v", name, names[0], err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLockIsDeleted: somebody deletes the files beside a ledger that is worked with.
func TestLockIsDeleted(t *testing.T) {
	path := ledgerPath(t)
	var warnings []string
	l, err := ledger.Open(t.Context(), path, ledger.Options{Warn: func(text string) { warnings = append(warnings, text) }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	remove(t, path+".lock", path+".holder")
	run := begin(t, l)
	if len(warnings) != 1 || !strings.Contains(warnings[0], path+".lock") {
		t.Errorf("%q", warnings)
	}
	var held *ledger.InUseError
	if _, err := ledger.Open(t.Context(), path, ledger.Options{}); !errors.As(err, &held) || held.Holder == "" {
		t.Errorf("the lock was not put back: %v", err)
	}

	// Another process was faster.
	remove(t, path+".lock", path+".holder")
	other, err := ledger.Open(t.Context(), path, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for range 2 {
		var taken *ledger.TakenError
		var failed *ledger.Error
		if _, err := l.Put(t.Context(), run, []ledger.Entry{asked("ada@x", 1, "a")}, false); !errors.As(err, &taken) || taken.Holder == "" || !errors.As(err, &failed) || failed.Problem() != ledger.ProblemTaken {
			t.Errorf("%v", err)
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	put(t, other, begin(t, other), asked("ada@x", 1, "a"))
	if _, err := ledger.Open(t.Context(), path, ledger.Options{}); !errors.As(err, &held) || held.Holder == "" {
		t.Errorf("what the other process said of itself is gone: %v", err)
	}
}

// TestLedgerIsDeleted: nothing is recorded in a file that nobody will find.
func TestLedgerIsDeleted(t *testing.T) {
	path := ledgerPath(t)
	l := open(t, path)
	remove(t, path)
	_, err := l.Begin(t.Context(), ledger.Run{})
	var failed *ledger.Error
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "deleted or replaced") || failed.Problem() != ledger.ProblemMoved {
		t.Errorf("%v", err)
	}
}

func ledgerPath(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "ledger.db")
}

func remove(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Skip("NOT TESTED: ", err) // Windows: nobody can
		}
	}
}
