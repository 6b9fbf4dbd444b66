package escrow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
)

// TestDrill: sealed, plain, damaged and foreign records, and one under another card's name.
func TestDrill(t *testing.T) {
	dir := t.TempDir()
	ours, others := identity(t), identity(t)
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	sealedTo := func(of *age.X25519Identity) *AgeStore {
		t.Helper()
		s, err := NewAge(dir, []string{of.Recipient().String()})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	plain, err := NewPlainFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	put(t, sealedTo(ours), record(1, at))
	put(t, sealedTo(others), record(2, at))
	damaged := put(t, sealedTo(ours), record(3, at))
	put(t, plain, record(4, at))
	moved := put(t, sealedTo(ours), record(5, at))
	if err := os.WriteFile(damaged, []byte("-----BEGIN AGE ENCRYPTED FILE-----\nno\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(moved, filepath.Join(dir, strings.Replace(filepath.Base(moved), "5-", "6-", 1))); err != nil {
		t.Fatal(err)
	}
	drilled, err := Drill(t.Context(), dir, 0, ours)
	if err != nil || len(drilled) != 5 {
		t.Fatal(drilled, err)
	}
	for i, want := range []struct {
		serial  uint32
		opens   bool
		problem string
	}{{1, true, ""}, {2, false, ErrNoIdentity.Error()}, {3, false, "sealed record"}, {4, true, ""}, {6, false, "is of card 5"}} {
		if got := drilled[i]; got.Serial != want.serial || got.Opens != want.opens || !strings.Contains(got.Problem, want.problem) || (got.Problem == "") != want.opens {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if one, err := Drill(t.Context(), dir, 2, others); err != nil || len(one) != 1 || !one[0].Opens {
		t.Error(one, err)
	}
}
