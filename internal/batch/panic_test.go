package batch_test

import (
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestAMistakeOfOurs with one user does not hold the others up, and is told.
func TestAMistakeOfOurs(t *testing.T) {
	l := openLedger(t, ledgerFile(t))
	domain := &fakeDomain{fail: func(n int64) error {
		if n == 2 {
			panic("planted")
		}
		return nil
	}}
	if counts := mustRun(t, fakeOptions(l, fakeCrowd{users: 5}, domain, 1)); counts != (ledger.Counts{Total: 5, Done: 4, Failed: 1}) {
		t.Errorf("%+v", counts)
	}
	groups, err := l.Groups(t.Context(), 1)
	if err != nil || len(groups) != 1 || groups[0].Reason != "internal" || groups[0].Class != ledger.ClassFinal || groups[0].Hint == "" ||
		!strings.Contains(groups[0].Message, "planted") || !strings.Contains(groups[0].Message, "batch/panic_test.go:") {
		t.Errorf("%+v %v", groups, err)
	}
}
