package enroll_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestCardsWithOneCHUIDAreNoticed: a card that keeps the CHUID of another one is told of; one that
// gets a new one is not.
func TestCardsWithOneCHUIDAreNoticed(t *testing.T) {
	opened, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	var first uint32
	var chuid []byte
	for i, keep := range []bool{true, true, false} {
		d := newDesk(t, "5.4.3")
		setFaults(t, "off")
		d.deps.NoteCHUID, d.request.KeepCHUID = opened.NoteCHUID, keep
		if i > 0 {
			file := filepath.Join(t.TempDir(), "chuid")
			if err := os.WriteFile(file, chuid, 0o600); err != nil {
				t.Fatal(err)
			}
			d.ykman("piv", "objects", "import", "-m", factoryKeyHex(), "0x5fc102", file)
		}
		said := d.notices()
		d.mustRun()
		if i == 0 {
			first, chuid = d.serial, d.card.Snapshot().Objects[0x5FC102]
		}
		if told := slices.Contains(*said, enroll.SameCHUID([]uint32{first})); told != (i == 1) {
			t.Errorf("card %d: told %v: %q", i, told, *said)
		}
	}
}
