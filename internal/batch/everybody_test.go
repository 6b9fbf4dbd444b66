package batch_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/ledger/pgtest"
)

var errKeyDeleted = &gmail.Error{Kind: gmail.KindCredentials, Message: "the key was deleted"}

// TestCredentialsEndInTheMiddle: users who got through before do not have the
// others called failed.
func TestCredentialsEndInTheMiddle(t *testing.T) {
	l := openLedger(t, ledgerFile(t))
	domain := &fakeDomain{fail: func(n int64) error {
		if n > 5 {
			return errKeyDeleted
		}
		return nil
	}}
	counts, err := run(t, fakeOptions(l, fakeCrowd{users: 300}, domain, 4))
	var stopped *batch.StoppedError
	if !errors.As(err, &stopped) || !errors.Is(err, gmail.ErrCredentials) || counts != (ledger.Counts{Total: 300, Done: 5, Waiting: 295}) {
		t.Errorf("%+v %v", counts, err)
	}
	if n := domain.opened.Load(); n > 40 {
		t.Errorf("%d users were tried", n)
	}
}

// TestOneUserAndNoCredentials: it need not be many.
func TestOneUserAndNoCredentials(t *testing.T) {
	l := openLedger(t, ledgerFile(t))
	counts, err := run(t, fakeOptions(l, fakeCrowd{users: 1}, &fakeDomain{fail: func(int64) error { return errKeyDeleted }}, 4))
	var stopped *batch.StoppedError
	if !errors.As(err, &stopped) || counts != (ledger.Counts{Total: 1, Waiting: 1}) {
		t.Errorf("%+v %v", counts, err)
	}
}

// TestWorkerWithoutCredentials: it stops, and leaves the users to the others.
func TestWorkerWithoutCredentials(t *testing.T) {
	l := openLedger(t, pgtest.Start(t).NewDatabase(t))
	enqueue := fakeOptions(l, fakeCrowd{users: 100}, nil, 8)
	enqueue.NoWork = true
	mustRun(t, enqueue)
	err := batch.Work(t.Context(), fakeOptions(l, nil, &fakeDomain{fail: func(int64) error { return errKeyDeleted }}, 32))
	var stopped *batch.StoppedError
	if counts, countErr := l.Counts(t.Context(), 1); !errors.As(err, &stopped) || counts != (ledger.Counts{Total: 100, Waiting: 100}) {
		t.Fatalf("%v; %+v %v", err, counts, countErr)
	}
	good := fakeOptions(l, nil, &fakeDomain{}, 32)
	awaitCounts(t, l, good, 1, ledger.Counts{Total: 100, Done: 100})
}

// awaitCounts lets a worker work until a run has the counts.
func awaitCounts(t *testing.T, l *ledger.Ledger, worker batch.Options, run int64, want ledger.Counts) {
	t.Helper()
	stopping, ended := make(chan struct{}), make(chan error, 1)
	worker.Stopping = stopping
	go func() { ended <- batch.Work(t.Context(), worker) }()
	for {
		counts, err := l.Counts(t.Context(), run)
		if err == nil && counts == want {
			break
		}
		select {
		case end := <-ended:
			t.Fatalf("it ended with %+v %v: %v", counts, err, end)
		case <-time.After(20 * time.Millisecond):
		}
	}
	close(stopping)
	if end := <-ended; !isInterrupted(end) {
		t.Error(end)
	}
}
