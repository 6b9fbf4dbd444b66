package ledger_test

import (
	"errors"
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

// testClaims: a claim is held against others until it is let go of, whatever
// changes meanwhile, and what is done is claimed by nobody.
func testClaims(t *testing.T, _ *pgtest.Server, l *ledger.Ledger) {
	for _, worker := range []string{"w", "other"} {
		if err := l.Heartbeat(t.Context(), worker, worker); err != nil {
			t.Fatal(err)
		}
	}
	take := func(worker string, want error, found bool) ledger.Task {
		t.Helper()
		task, ok, err := l.Take(t.Context(), "u@x", worker)
		if !errors.Is(err, want) || ok != found {
			t.Errorf("%s takes it: %v %v", worker, ok, err)
		}
		return task
	}
	put(t, l, begin(t, l), asked("u@x", 1, "u"))
	register(t, l, "u@x")
	take("w", nil, false)
	put(t, l, begin(t, l), asked("u@x", 1, "u"))
	task := take("other", nil, true)
	take("w", ledger.ErrChanged, false)
	put(t, l, begin(t, l), asked("u@x", 1, "changed"))
	take("w", ledger.ErrChanged, false)
	if err := l.LetGo(t.Context(), task); err != nil {
		t.Error(err)
	}
	take("w", nil, true)
}

// testForgotten: a user waits without a job.
func testForgotten(t *testing.T, _ *pgtest.Server, l *ledger.Ledger) {
	run := begin(t, l)
	put(t, l, run, asked("has@x", 1, "1"), asked("had@x", 2, "2"), asked("Never@x", 3, "3"), asked("done@x", 4, "4"))
	register(t, l, "done@x")
	for email, state := range map[string]string{"has@x": "scheduled", "had@x": "completed"} {
		if _, err := l.Pool().Exec(t.Context(), `INSERT INTO river_job (state, args, kind, queue, priority, max_attempts, finalized_at)
			VALUES ($1::text::river_job_state, jsonb_build_object('email', $2::text), 'register', 'register', 1, 25, CASE WHEN $1::text = 'completed' THEN now() END)`, state, email); err != nil {
			t.Fatal(err)
		}
	}
	forgotten := func(want ...string) {
		t.Helper()
		turns, err := l.Forgotten(t.Context(), 10)
		var got []string
		for _, turn := range turns {
			got = append(got, turn.Email)
		}
		if err != nil || len(got) != len(want) || len(got) > 0 && (got[0] != want[0] || got[1] != want[1]) {
			t.Errorf("%q %v, want %q", got, err, want)
		}
	}
	forgotten() // the source may have them twice
	if err := l.MarkRead(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	forgotten("had@x", "never@x")
}

// testConnections: the address says how many there may be.
func testConnections(t *testing.T, server *pgtest.Server, l *ledger.Ledger) {
	few := open(t, server.NewDatabase(t)+"&pool_max_conns=3")
	if most, usual := few.Pool().Config().MaxConns, l.Pool().Config().MaxConns; most != 3 || usual != 20 {
		t.Errorf("%d connections where 3 are asked for, else %d", most, usual)
	}
}

// testDeadWorkers: their jobs go back, and nobody else's.
func testDeadWorkers(t *testing.T, _ *pgtest.Server, l *ledger.Ledger) {
	if err := l.Heartbeat(t.Context(), "alive", "alive"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Pool().Exec(t.Context(), `INSERT INTO worker (id, name, started, seen) VALUES ('dead', 'dead', 1, 1)`); err != nil {
		t.Fatal(err)
	}
	for _, job := range [][2]string{{"register", "alive"}, {"register", "dead"}, {"register", "never seen"}, {"another program's", "dead"}} {
		if _, err := l.Pool().Exec(t.Context(), `INSERT INTO river_job (state, args, kind, queue, priority, max_attempts, attempted_by)
			VALUES ('running', '{}', 'x', $1, 1, 25, ARRAY['before', $2])`, job[0], job[1]); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := l.Requeue(t.Context()); n != 2 || err != nil {
		t.Errorf("%d jobs, %v", n, err)
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
		"list":  func() error { _, err := l.Waiting(t.Context(), run, "", 10); return err },
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
