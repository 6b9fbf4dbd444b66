package ledger_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/ledger/pgtest"
)

func TestSharedLedger(t *testing.T) {
	server := pgtest.Start(t)
	for name, test := range map[string]func(*testing.T, *pgtest.Server, *ledger.Ledger){
		"claims":    testClaims,
		"forgotten": testForgotten,
		"dead":      testDeadWorkers,
		"restart":   testRestart,
		"many":      testConnections,
	} {
		t.Run(name, func(t *testing.T) { test(t, server, open(t, server.NewDatabase(t))) })
	}
}

// testClaims: a claim is held against others until it is released, whatever changes
// meanwhile, and what is done is claimed by nobody.
func testClaims(t *testing.T, _ *pgtest.Server, l *ledger.Ledger) {
	for _, worker := range []string{"w", "other"} {
		if err := l.Heartbeat(t.Context(), worker, worker); err != nil {
			t.Fatal(err)
		}
	}
	take := func(worker string, found bool) ledger.Task {
		t.Helper()
		task, ok, err := claim(t, l, "u@x", worker)
		if err != nil || ok != found {
			t.Errorf("%s claims it: %v %v", worker, ok, err)
		}
		return task
	}
	held := func(task ledger.Task, want error) {
		t.Helper()
		if err := l.CheckClaim(t.Context(), task); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	put(t, l, begin(t, l), asked("u@x", 1, "u"))
	register(t, l, "u@x")
	take("w", false)
	put(t, l, begin(t, l), asked("u@x", 1, "u"))
	task := take("other", true)
	held(task, nil)
	take("w", false)
	held(take("other", true), nil) // the answer was lost
	if tasks, err := l.Claim(t.Context(), task.Run, "other", []string{"U@x"}, 10); len(tasks) != 0 || err != nil {
		t.Errorf("claimed twice: %v %v", tasks, err)
	}
	put(t, l, begin(t, l), asked("u@x", 1, "changed"))
	take("w", false)
	held(task, ledger.ErrChanged)
	if err := l.Release(t.Context(), task, 0); err != nil {
		t.Error(err)
	}
	held(take("w", true), nil)
}

// testForgotten: whoever waits in a run whose source was not read to its end is claimed
// by nobody who works for all runs; of the others, those that are due.
func testForgotten(t *testing.T, _ *pgtest.Server, l *ledger.Ledger) {
	unread, run := begin(t, l), begin(t, l)
	put(t, l, unread, asked("unread@x", 1, "0"))
	put(t, l, run, asked("later@x", 1, "1"), asked("had@x", 2, "2"), asked("Never@x", 3, "3"), asked("done@x", 4, "4"))
	task, _, err := claim(t, l, "later@x", "w")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.RecordRetry(t.Context(), task, time.Hour); err != nil {
		t.Fatal(err)
	}
	register(t, l, "done@x")
	claimed := func(want ...string) {
		t.Helper()
		tasks, err := l.Claim(t.Context(), 0, "another", nil, 10)
		var got []string
		for _, task := range tasks {
			got = append(got, ledger.Key(task.Email))
		}
		if slices.Sort(got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q %v, want %q", got, err, want)
		}
	}
	claimed() // the source may have them twice
	if err := l.MarkRead(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	claimed("had@x", "never@x")
}

// testConnections: the address says how many there may be.
func testConnections(t *testing.T, server *pgtest.Server, l *ledger.Ledger) {
	few := open(t, server.NewDatabase(t)+"&pool_max_conns=3")
	if most, usual := few.Pool().Config().MaxConns, l.Pool().Config().MaxConns; most != 3 || usual != 20 {
		t.Errorf("%d connections where 3 are asked for, else %d", most, usual)
	}
}

// testDeadWorkers: their users are others' to claim, and nobody else's.
func testDeadWorkers(t *testing.T, _ *pgtest.Server, l *ledger.Ledger) {
	run := begin(t, l)
	for i, worker := range []string{"alive", "dead", "never seen", ""} {
		put(t, l, run, asked(worker+"@x", i, worker))
		if _, err := l.Pool().Exec(t.Context(), `UPDATE entry SET claim = $1 WHERE email = $2`, worker, worker+"@x"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Pool().Exec(t.Context(), `INSERT INTO worker (id, name, started, seen) VALUES ('dead', 'dead', 1, 1)`); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Heartbeat(t.Context(), "alive", "alive"); err != nil {
			t.Fatal(err)
		}
	}
	tasks, err := l.Claim(t.Context(), run, "another", nil, 10)
	if err != nil || len(tasks) != 3 || slices.ContainsFunc(tasks, func(task ledger.Task) bool { return task.Email == "alive@x" }) {
		t.Errorf("%v, %v", tasks, err)
	}
	var workers int
	if err := l.Pool().QueryRow(t.Context(), `SELECT count(*) FROM worker`).Scan(&workers); err != nil || workers != 1 {
		t.Errorf("%d workers, %v", workers, err)
	}
}

// testRestart: whatever is asked while the database is restarted is done after it.
func testRestart(t *testing.T, server *pgtest.Server, l *ledger.Ledger) {
	run := begin(t, l)
	put(t, l, run, asked("u@x", 1, "u"))
	server.Stop(t)
	var asking sync.WaitGroup
	for what, ask := range map[string]func() error{
		"begin": func() error { _, err := l.Begin(t.Context(), ledger.Run{}); return err },
		"put": func() error {
			_, err := l.Put(t.Context(), run, []ledger.Entry{asked("v@x", 2, "v")}, false)
			return err
		},
		"read":  func() error { return l.MarkRead(t.Context(), run) },
		"count": func() error { _, err := l.Counts(t.Context(), run); return err },
		"claim": func() error { _, err := l.Claim(t.Context(), run, "w", nil, 10); return err },
	} {
		asking.Go(func() {
			if err := ask(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	server.Run(t)
	asking.Wait()
	if counts, err := l.Counts(t.Context(), run); err != nil || counts.Total != 2 {
		t.Error(counts, err)
	}
}
