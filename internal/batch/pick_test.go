package batch_test

import (
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// addresses are those of a run's users.
func addresses(t *testing.T, l *ledger.Ledger, run int64) string {
	t.Helper()
	var all []string
	for entry, err := range l.Entries(t.Context(), run) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.TrimSuffix(strings.TrimPrefix(entry.Email, "user000"), "@lab.example"))
	}
	return strings.Join(all, " ")
}

// TestPick: who is asked for is worked on, and nobody else; the same limit again
// takes the next ones; and who failed is tried again, for any reason or one.
func TestPick(t *testing.T) {
	l := openLedger(t, ledgerFile(t))
	run := int64(0)
	do := func(pick batch.Pick, fail func(n int64) error, want ledger.Counts, who string) {
		t.Helper()
		domain := &fakeDomain{fail: fail}
		options := fakeOptions(l, fakeCrowd{users: 12}, domain, 1)
		options.Pick, options.GiveUp = pick, 1
		run++
		if counts := mustRun(t, options); counts != want || addresses(t, l, run) != who || int(domain.opened.Load()) != want.Total {
			t.Errorf("run %d: %+v of %q, %d were asked for", run, counts, addresses(t, l, run), domain.opened.Load())
		}
	}
	odd := func(email string) bool { return strings.ContainsAny(email[8:9], "13579") }
	do(batch.Pick{Only: odd}, nil, ledger.Counts{Total: 6, Done: 6}, "01 03 05 07 09 11")
	do(batch.Pick{Limit: 2}, nil, ledger.Counts{Total: 2, Done: 2}, "02 04")
	do(batch.Pick{Limit: 2}, func(n int64) error {
		kind := []gmail.Kind{gmail.KindCSEOff, gmail.KindNoUser}[n-1]
		return &gmail.Error{Kind: kind, Status: 403}
	}, ledger.Counts{Total: 2, Failed: 2}, "06 08")
	do(batch.Pick{Limit: 3}, func(int64) error { return &gmail.Error{Kind: gmail.KindCSEOff, Status: 403} }, ledger.Counts{Total: 3, Failed: 3}, "06 08 10")
	do(batch.Pick{Retry: "no-user"}, nil, ledger.Counts{}, "")
	do(batch.Pick{Retry: "cse-off", Only: func(email string) bool { return strings.HasPrefix(email, "user00006") }}, nil, ledger.Counts{Total: 1, Done: 1}, "06")
	do(batch.Pick{Retry: batch.RetryFailed, Limit: 1}, nil, ledger.Counts{Total: 1, Done: 1}, "08")
	do(batch.Pick{Retry: batch.RetryFailed}, nil, ledger.Counts{Total: 1, Done: 1}, "10")
	do(batch.Pick{Retry: batch.RetryFailed}, nil, ledger.Counts{}, "")
	do(batch.Pick{Limit: 100}, nil, ledger.Counts{Total: 1, Done: 1}, "12")

	// A dry run picks by what the other ledger knows.
	dry := fakeOptions(openLedger(t, ledgerFile(t)), fakeCrowd{users: 14}, nil, 1)
	dry.DryRun, dry.Known, dry.Pick = true, l, batch.Pick{Limit: 5}
	if counts := mustRun(t, dry); counts != (ledger.Counts{Total: 2, Waiting: 2}) {
		t.Errorf("%+v", counts)
	}
	// Many: a limit ends the reading.
	read := 0
	many := fakeOptions(openLedger(t, ledgerFile(t)), fakeCrowd{users: 5000, before: func(n int) { read = n }}, &fakeDomain{}, 8)
	many.Pick = batch.Pick{Limit: 700}
	if counts := mustRun(t, many); counts != (ledger.Counts{Total: 700, Done: 700}) || read > 1500 {
		t.Errorf("%+v, %d rows were read", counts, read)
	}
}
