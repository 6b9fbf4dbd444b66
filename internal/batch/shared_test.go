package batch_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/ledger/pgtest"
)

func TestSharedLedger(t *testing.T) {
	server := pgtest.Start(t)
	t.Run("restart while reading", func(t *testing.T) { testRestartWhileReading(t, server) })
	// Those that wait for something wait together.
	for name, test := range map[string]func(*testing.T, string){
		"forgotten":    testForgottenUsers,
		"overlap":      testOverlappingRuns,
		"read-only":    testReadOnlyForAWhile,
		"tables gone":  testTablesGone,
		"cut off":      testCutOff,
		"little room":  testLittleRoom,
		"changed":      testChangedMeanwhile,
		"finished run": testWorkersFinishARun,
		"clock ahead":  testClockAhead,
	} {
		url := server.NewDatabase(t)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, url)
		})
	}
}

// enqueue fills the queue from a source.
func enqueue(t *testing.T, l *ledger.Ledger, people fakeCrowd) {
	t.Helper()
	options := fakeOptions(l, people, nil, 8)
	options.NoWork = true
	mustRun(t, options)
}

func testRestartWhileReading(t *testing.T, server *pgtest.Server) {
	l := openLedger(t, server.NewDatabase(t))
	var restart sync.WaitGroup
	options := fakeOptions(l, fakeCrowd{users: 1500, before: func(n int) {
		if n == 700 {
			server.Stop(t)
			restart.Go(func() {
				time.Sleep(300 * time.Millisecond)
				server.Run(t)
			})
		}
	}}, nil, 8)
	options.NoWork = true
	counts, err := run(t, options)
	restart.Wait()
	if err != nil || counts != (ledger.Counts{Total: 1500, Waiting: 1500}) {
		t.Errorf("%+v %v", counts, err)
	}
}

// testForgottenUsers: they wait, claimed by workers that nobody knows.
func testForgottenUsers(t *testing.T, url string) {
	l := openLedger(t, url)
	enqueue(t, l, fakeCrowd{users: 3})
	if _, err := connect(t, url).Exec(t.Context(), `UPDATE entry SET claim = 'nobody'`); err != nil {
		t.Fatal(err)
	}
	awaitCounts(t, l, fakeOptions(l, nil, &fakeDomain{}, 8), 1, ledger.Counts{Total: 3, Done: 3})
}

// testOverlappingRuns: a later run takes users of an earlier one over, while that
// works, and while it reads.
func testOverlappingRuns(t *testing.T, url string) {
	l, other := openLedger(t, url), openLedger(t, url)
	working := fakeOptions(l, fakeCrowd{users: 20}, &fakeDomain{}, 8)
	working.Notify = func(event batch.Event) {
		if event.Kind == batch.KindStarted {
			enqueue(t, other, fakeCrowd{users: 20})
		}
	}
	counts, err := run(t, working)
	var over *batch.TakenOverError
	if !errors.As(err, &over) || *over != (batch.TakenOverError{Users: 20, Of: 20}) || counts != (ledger.Counts{Total: 20, TakenOver: 20}) {
		t.Errorf("%+v %v", counts, err)
	}
	reading := fakeOptions(l, fakeCrowd{users: 1200, before: func(n int) {
		switch n {
		case 1: // before its own rows are entered
			enqueue(t, other, fakeCrowd{name: "others.csv", users: 100})
		case 700: // after
			enqueue(t, other, fakeCrowd{name: "others.csv", users: 200})
		}
	}}, nil, 8)
	reading.NoWork = true
	if counts, err := run(t, reading); !errors.As(err, &over) || *over != (batch.TakenOverError{Users: 200, Of: 1200}) || counts != (ledger.Counts{Total: 1200, Waiting: 1000, TakenOver: 200}) {
		t.Errorf("%+v %v", counts, err)
	}
}

// testReadOnlyForAWhile: the database can be read, as one that has become a standby.
func testReadOnlyForAWhile(t *testing.T, url string) {
	l := openLedger(t, url)
	enqueue(t, l, fakeCrowd{users: 3})
	readOnly(t, url, "on")
	domain := &fakeDomain{}
	worker := fakeOptions(l, nil, domain, 8)
	warned, done := make(chan struct{}, 100), make(chan struct{})
	worker.Notify = func(event batch.Event) {
		if event.Kind == batch.KindWarning {
			warned <- struct{}{}
		}
	}
	go func() {
		defer close(done)
		<-warned
		time.Sleep(1500 * time.Millisecond)
		if domain.opened.Load() != 0 {
			t.Error("users were worked on, of whom nothing could be recorded")
		}
		readOnly(t, url, "off")
	}()
	awaitCounts(t, l, worker, 1, ledger.Counts{Total: 3, Done: 3})
	<-done
	if n := len(warned); n != 0 {
		t.Errorf("%d warnings more than the one that is wanted", n)
	}
}

// readOnly sets what the database allows from now on, and ends all connections.
func readOnly(t *testing.T, url, value string) {
	connection, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Error(err)
		return
	}
	defer connection.Close(context.Background())
	for _, statement := range []string{
		`SET default_transaction_read_only = off`,
		`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = ` + value + `', current_database()); END $$`,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
	} {
		if _, err := connection.Exec(context.Background(), statement); err != nil {
			t.Error(err)
		}
	}
}

// testTablesGone: waiting does not help.
func testTablesGone(t *testing.T, url string) {
	l := openLedger(t, url)
	if _, err := connect(t, url).Exec(t.Context(), `DROP TABLE worker`); err != nil {
		t.Fatal(err)
	}
	var failed *ledger.Error
	if err := batch.Work(t.Context(), fakeOptions(l, nil, &fakeDomain{}, 8)); !errors.As(err, &failed) || isInterrupted(err) {
		t.Error(err)
	}
}

// testCutOff: a worker is stopped hard while Gmail looks for somebody or creates
// something. Until that is surely over nobody else acts for the user.
func testCutOff(t *testing.T, url string) {
	l := openLedger(t, url)
	for _, test := range []struct {
		creating bool
		workers  int
		free     int
	}{{false, 0, 1}, {true, 1, 0}} {
		ctx, cancel := context.WithCancel(t.Context())
		hang := func(ctx context.Context) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}
		domain := &fakeDomain{looking: hang}
		if test.creating {
			domain = &fakeDomain{creating: hang}
		}
		if _, err := batch.Run(ctx, fakeOptions(l, fakeCrowd{users: 1}, domain, 8)); !isInterrupted(err) {
			t.Error(err)
		}
		if n, err := l.Workers(t.Context()); n != test.workers || err != nil {
			t.Errorf("creating %v: %d workers, %v", test.creating, n, err)
		}
		if tasks, err := l.Claim(t.Context(), 0, "another", nil, 1); len(tasks) != test.free || err != nil {
			t.Errorf("creating %v: %v %v", test.creating, tasks, err)
		}
	}
}

// testLittleRoom: users whom a worker has no room for go to another one.
func testLittleRoom(t *testing.T, url string) {
	l := openLedger(t, url)
	enqueue(t, l, fakeCrowd{users: 2})
	began := make(chan struct{})
	slow := fakeOptions(l, nil, &fakeDomain{looking: func(ctx context.Context) error {
		close(began) // panics where it has two at once
		<-ctx.Done()
		return ctx.Err()
	}}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- batch.Work(ctx, slow) }()
	<-began
	claimed := 0
	if err := connect(t, url).QueryRow(t.Context(), `SELECT count(*) FROM entry WHERE claim <> ''`).Scan(&claimed); err != nil || claimed != 1 {
		t.Fatal(claimed, err)
	}
	awaitCounts(t, l, fakeOptions(l, nil, &fakeDomain{}, 8), 1, ledger.Counts{Total: 2, Done: 1, Waiting: 1})
	cancel()
	if err := <-ended; !isInterrupted(err) {
		t.Error(err)
	}
}

// testChangedMeanwhile: other certificates are asked for while a worker acts for
// somebody. It lets go, for whoever comes next.
func testChangedMeanwhile(t *testing.T, url string) {
	l, other := openLedger(t, url), openLedger(t, url)
	for _, setting := range []bool{false, true} {
		enqueue(t, l, fakeCrowd{users: 1})
		stopping := make(chan struct{})
		change := func(ctx context.Context) error {
			defer close(stopping)
			run, err := other.Begin(ctx, ledger.Run{Source: "others.csv"})
			if err != nil {
				return err
			}
			_, err = other.Put(ctx, run, []ledger.Entry{fakeEntry(ctx, source.Row{Email: fakeEmail(1), Line: 99})}, false)
			return err
		}
		domain := &fakeDomain{creating: change}
		if setting {
			domain = &fakeDomain{setting: change}
		}
		worker := fakeOptions(l, nil, domain, 8)
		worker.Stopping = stopping
		var beats, changed atomic.Int64
		worker.OnHeartbeat = func(err error) {
			if beats.Add(1); err != nil {
				t.Error(err)
			}
		}
		worker.OnLedgerError = func(err error) {
			if changed.Add(1); !errors.Is(err, ledger.ErrChanged) {
				t.Error(err)
			}
		}
		if err := batch.Work(t.Context(), worker); !isInterrupted(err) {
			t.Error(err)
		}
		if beats.Load() == 0 || changed.Load() == 0 {
			t.Errorf("setting %v: told of %d heartbeats, %d changes", setting, beats.Load(), changed.Load())
		}
		var state, claim string
		if err := connect(t, url).QueryRow(t.Context(), `SELECT state, claim FROM entry`).Scan(&state, &claim); err != nil || state != "waiting" || claim != "" {
			t.Errorf("setting %v: %s, claimed by %q, %v", setting, state, claim, err)
		}
	}
}

func testWorkersFinishARun(t *testing.T, url string) {
	l := openLedger(t, url)
	enqueue(t, l, fakeCrowd{users: 5})
	awaitCounts(t, l, fakeOptions(l, nil, &fakeDomain{}, 8), 1, ledger.Counts{Total: 5, Done: 5})
	if r, err := l.Run(t.Context(), 1); err != nil || r.Finished.IsZero() {
		t.Errorf("%+v %v", r, err)
	}
}

// testClockAhead: this machine is ten minutes ahead of the database, as any other
// that fills the queue may be. It is told; nobody waits for these ten minutes.
func testClockAhead(t *testing.T, url string) {
	connection, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(t.Context())
	// What asks the database for the time is given another.
	for _, statement := range []string{
		`CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT pg_catalog.now() - interval '10 minutes' $$`,
		`CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT pg_catalog.clock_timestamp() - interval '10 minutes' $$`,
		`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$`,
	} {
		if _, err := connection.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	l := openLedger(t, url)
	if skew := l.Skew() - 10*time.Minute; skew.Abs() > time.Minute {
		t.Errorf("ahead by %v", l.Skew())
	}
	// A user is tried again later once, so that a claim comes again, too.
	domain := &fakeDomain{fail: func(n int64) error {
		if n == 1 {
			return &gmail.Error{Kind: gmail.KindUnavailable, Status: 503}
		}
		return nil
	}}
	options := fakeOptions(l, fakeCrowd{users: 20}, domain, 8)
	var events journal
	options.Notify = events.note
	began := time.Now()
	if counts := mustRun(t, options); counts != (ledger.Counts{Total: 20, Done: 20}) {
		t.Errorf("%+v", counts)
	}
	if took := time.Since(began); took > 9*time.Minute {
		t.Errorf("it took %v", took)
	}
	if !slices.ContainsFunc(events.events, func(e batch.Event) bool {
		return e.Kind == batch.KindWarning && e.Reason == "clock" && strings.Contains(e.Message, "ahead of") && e.Hint != ""
	}) {
		t.Errorf("nobody was told: %+v", events.events)
	}
	r, err := l.Run(t.Context(), 0)
	if err != nil || r.Started.After(time.Now().Add(-9*time.Minute)) || r.Finished.Before(r.Started) {
		t.Errorf("%+v %v", r, err)
	}
}
