package spreadsheet_test

import (
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/spreadsheet"
)

// TestShownKeepsASecret: what may be a PIN in a file of its own is not shown.
func TestShownKeepsASecret(t *testing.T) {
	for _, cells := range [][]string{{"271828"}, {"secret-puk"}, nil} {
		if shown := spreadsheet.Shown(cells); strings.Contains(shown, "2718") || strings.Contains(shown, "puk") || shown == "" {
			t.Errorf("%q: %q", cells, shown)
		}
	}
	if shown := spreadsheet.Headings([]string{"Abteilung"}); shown != "Abteilung" {
		t.Errorf("%q", shown)
	}
	if shown := spreadsheet.Shown([]string{" Name ", "Adr\x1besse", strings.Repeat("x", 50)}); shown != "Name, Adr?esse, "+strings.Repeat("x", 40) {
		t.Errorf("%q", shown)
	}
}
