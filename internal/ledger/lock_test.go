package ledger_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestALinkToALedgerIsThatLedger: it is held under each of its names, also when
// the link was there before the file.
func TestALinkToALedgerIsThatLedger(t *testing.T) {
	dir := t.TempDir()
	link, file := filepath.Join(dir, "link.db"), filepath.Join(dir, "ledger.db")
	if err := os.Symlink("ledger.db", link); err != nil {
		t.Skip(err) // Windows without the right to it
	}
	for _, names := range [][]string{{link, file, link}, {file, link}} {
		l, err := ledger.Open(t.Context(), names[0], ledger.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names[1:] {
			_, err := ledger.Open(t.Context(), name, ledger.Options{})
			var held *ledger.HeldError
			if !errors.As(err, &held) || held.Path != name || held.Holder == "" {
				t.Errorf("%s while %s is open: %v", name, names[0], err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
