package batch_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger/pgtest"
)

// plant is an office whose ledger is shared by processes.
type plant struct {
	*office
	server *pgtest.Server
	url    string
	people rows
	done   func() int // how many of them
	env    []string
}

func newPlant(t *testing.T, users int, faults ...string) *plant {
	t.Helper()
	server := pgtest.Start(t)
	p := &plant{office: newOffice(t, faults...), server: server, url: server.NewDatabase(t)}
	p.people = p.office.people(t, users)
	p.done = p.counter(p.people)
	file := filepath.Join(t.TempDir(), "people.json")
	writePeople(t, file, p.people)
	p.env = append(p.environment(), "PEOPLE="+file, "LEDGER="+p.url)
	return p
}

// start runs a process of the plant until the test ends, if not before.
func (p *plant) start(t *testing.T, role string, env ...string) *process {
	t.Helper()
	return start(t, child(t, role, append(p.env, env...)...))
}

// await waits until a process, maybe with others, has so many users done.
func (p *plant) await(t *testing.T, process *process, users int) {
	t.Helper()
	process.await(t, func() bool { return p.done() >= users })
}

// checkLedger waits until a worker has recorded everybody as done, too.
func (p *plant) checkLedger(t *testing.T, worker *process) {
	t.Helper()
	l := openLedger(t, p.url)
	worker.await(t, func() bool {
		counts, err := l.Counts(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		return counts.Done == len(p.people)
	})
}

func TestRunOnPostgres(t *testing.T) {
	p := newPlant(t, 100)
	process := p.start(t, "run")
	if err := process.end(); err != nil {
		t.Fatal(err)
	}
	p.checkLedger(t, process)
	p.checkOnce(t, p.people)
}

func TestTwoWorkers(t *testing.T) {
	p := newPlant(t, 400, "latency:10ms", "api:3%")
	l := openLedger(t, p.url)
	one, two := p.start(t, "work"), p.start(t, "work")
	one.await(t, func() bool { // both, or the first may have done everything
		n, err := l.Workers(t.Context())
		return err == nil && n == 2
	})
	if err := p.start(t, "run", "NO_WORK=1").end(); err != nil {
		t.Fatal(err)
	}
	p.await(t, one, 400)
	p.checkLedger(t, one)
	p.checkOnce(t, p.people)
	workers := map[string]int{}
	for entry, err := range l.Entries(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		workers[entry.Worker]++
	}
	if len(workers) != 2 {
		t.Errorf("both were to work: %v", workers)
	}
	for _, process := range []*process{one, two} {
		if err := process.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := process.end(); err != nil {
			t.Error(err)
		}
	}
	if n, err := l.Workers(t.Context()); n != 0 || err != nil {
		t.Errorf("%d workers are on the list, %v", n, err)
	}
}

// TestDeadWorkersAreReplaced kills a worker in the middle; another one takes up
// what it had begun.
func TestDeadWorkersAreReplaced(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT TESTED: it takes as long as a worker may be silent")
	}
	p := newPlant(t, 300, "latency:50ms")
	if err := p.start(t, "run", "NO_WORK=1").end(); err != nil {
		t.Fatal(err)
	}
	victim := p.start(t, "work")
	p.await(t, victim, 30)
	victim.kill(t)
	heir := p.start(t, "work")
	p.await(t, heir, 300)
	p.checkLedger(t, heir)
	p.checkOnce(t, p.people)
}

// TestPostgresIsRestarted takes the database away in the middle.
func TestPostgresIsRestarted(t *testing.T) {
	p := newPlant(t, 600, "latency:20ms")
	process := p.start(t, "run")
	for _, users := range []int{100, 300} {
		p.await(t, process, users)
		p.server.Stop(t)
		time.Sleep(700 * time.Millisecond)
		p.server.Run(t)
	}
	if err := process.end(); err != nil {
		t.Fatalf("%v with %d of 600 users", err, p.done())
	}
	p.checkLedger(t, process)
	p.checkOnce(t, p.people)
}
