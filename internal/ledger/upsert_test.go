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
