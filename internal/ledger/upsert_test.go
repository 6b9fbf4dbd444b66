package ledger_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestSameAddressManyTimes: what is said of it names the first rows and stays
// short, within one chunk and over many.
func TestSameAddressManyTimes(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"))
	run := begin(t, l)
	for chunk := range 3 {
		var rows []ledger.Entry
		for i := range 50 {
			line := 1 + 100*chunk + 2*i
			rows = append(rows, asked("same@x", line, "a"), asked("other@x", line+1, strings.Repeat("b", 1+i%2)))
		}
		put(t, l, run, rows...)
	}
	same, other := entry(t, l, "same@x"), entry(t, l, "other@x")
	if len(same.Warnings) != 1 || other.Reason != "address-twice" {
		t.Fatalf("%+v\n%+v", same, other)
	}
	for text, first := range map[string][]string{same.Warnings[0]: {"line 3", "line 5"}, other.Message: {"line 2", "line 4"}} {
		if len(text) > 300 || !strings.Contains(text, first[0]+",") || !strings.Contains(text, first[1]+",") || !strings.HasSuffix(text, ", and others") {
			t.Error(text)
		}
	}
}

// TestRefusedTwice: of a user who is refused whatever the certificate, and stands twice with the same
// one, the reason stays the user's.
func TestRefusedTwice(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"))
	run := begin(t, l)
	refused := func(line int, class ledger.Class, reason, leaf string) ledger.Entry {
		e := asked(reason+"@x", line, leaf)
		e.State, e.Class, e.Reason, e.Message = ledger.StateFailed, class, reason, "refused"
		return e
	}
	put(t, l, run, refused(1, ledger.ClassAdministrator, "suspended", "a"), refused(2, ledger.ClassAdministrator, "suspended", "a"),
		refused(3, ledger.ClassRow, "alias", "a"), refused(4, ledger.ClassRow, "alias", "a"),
		refused(5, ledger.ClassRow, "no-user", "a"), refused(6, ledger.ClassRow, "no-user", "b"))
	for _, reason := range []string{"suspended", "alias"} {
		if e := entry(t, l, reason+"@x"); e.State != ledger.StateFailed || e.Reason != reason || e.Message != "refused" || len(e.Warnings) != 1 {
			t.Errorf("%+v", e)
		}
	}
	if e := entry(t, l, "no-user@x"); e.Reason != "address-twice" {
		t.Errorf("with different certificates: %+v", e)
	}
}
