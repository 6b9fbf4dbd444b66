package ledger_test

import (
	"testing"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestExampleOfRowsWithoutAnAddress: a group says where to look.
func TestExampleOfRowsWithoutAnAddress(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		run := begin(t, l)
		put(t, l, run, ledger.Entry{Where: "people.csv line 7", Line: 7, State: ledger.StateFailed, Class: ledger.ClassRow,
			Reason: "address-missing", Message: "the row has no address"})
		groups, err := l.Groups(t.Context(), run)
		if err != nil || len(groups) != 1 || groups[0].Example != "people.csv line 7" {
			t.Errorf("%+v %v", groups, err)
		}
	})
}
