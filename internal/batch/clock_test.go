package batch_test

import (
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestClockIsSetBack: to the process that holds a ledger the machine's clock is an
// hour slow since it began, as after it was set back. Jobs that are due, and those
// that come again, do not wait for it.
func TestClockIsSetBack(t *testing.T) {
	l, err := ledger.Open(t.Context(), ledgerFile(t), ledger.Options{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	domain := &fakeDomain{fail: func(n int64) error {
		if n <= 10 {
			return &gmail.Error{Kind: gmail.KindUnavailable, Status: 503}
		}
		return nil
	}}
	began := time.Now()
	if counts := mustRun(t, fakeOptions(l, fakeCrowd{users: 200}, domain, 8)); counts != (ledger.Counts{Total: 200, Done: 200}) {
		t.Errorf("%+v", counts)
	}
	if took := time.Since(began); took > 50*time.Minute {
		t.Errorf("it took %v", took)
	}
}
