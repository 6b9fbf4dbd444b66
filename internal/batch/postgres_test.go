package batch_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/ledger/pgtest"
)

// plant is an office whose ledger is shared by processes.
type plant struct {
	*office
	server *pgtest.Server
	url    string
	people rows
	env    []string
}

func newPlant(t *testing.T, users int, faults ...string) *plant {
	t.Helper()
	server := pgtest.Start(t)
	a := newAuthority(t)
	p := &plant{office: newOffice(t, faults...), server: server, url: server.NewDatabase(t), people: a.people(t, users, "shared")}
	p.lab.Gmail().AddTrustRoot(a.root)
	file := filepath.Join(t.TempDir(), "people.json")
	writePeople(t, file, p.people)
	p.env = append(p.environment(), "PEOPLE="+file, "LEDGER="+p.url)
	return p
}

// start runs a process of the plant until the test ends, if not before.
func (p *plant) start(t *testing.T, role string, env ...string) *exec.Cmd {
	t.Helper()
	process := child(t, role, append(p.env, env...)...)
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	return process
}

func (p *plant) done() int {
	n := 0
	for _, row := range p.people {
		n += len(p.lab.Gmail().Identities(row.Email))
	}
	return n
}

// await waits until that many users are done.
func (p *plant) await(t *testing.T, users int, limit time.Duration) {
	t.Helper()
	for started := time.Now(); p.done() < users; time.Sleep(20 * time.Millisecond) {
		if time.Since(started) > limit {
			t.Fatalf("%d of %d users after %v", p.done(), users, limit)
		}
	}
}

// checkLedger waits until the ledger has everybody as done, too.
func (p *plant) checkLedger(t *testing.T) *ledger.Ledger {
	t.Helper()
	l := openLedger(t, p.url)
	var counts ledger.Counts
	var err error
	for range 500 {
		if counts, err = l.Counts(t.Context(), 1); err == nil && counts.Done == len(p.people) {
			return l
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%+v %v", counts, err)
	return l
}

func TestRunOnPostgres(t *testing.T) {
	p := newPlant(t, 100)
	process := child(t, "run", p.env...)
	process.Stdout = os.Stderr
	if err := process.Run(); err != nil {
		t.Fatal(err)
	}
	p.checkLedger(t)
	p.checkOnce(t, p.people)
}

func TestTwoWorkers(t *testing.T) {
	p := newPlant(t, 400, "latency:10ms", "api:3%")
	enqueue := p.start(t, "run", "NO_WORK=1")
	if err := enqueue.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := p.done(); n != 0 {
		t.Fatalf("%d users were worked on", n)
	}
	one, two := p.start(t, "work"), p.start(t, "work")
	p.await(t, 400, time.Minute)
	l := p.checkLedger(t)
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
	for _, process := range []*exec.Cmd{one, two} {
		if err := process.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := process.Wait(); err != nil {
			t.Error(err)
		}
	}
	if n, err := l.Workers(t.Context()); n != 0 || err != nil {
		t.Errorf("%d workers are on the list, %v", n, err)
	}
}

// TestDeadWorkersAreReplaced kills a worker in the middle; another one takes up
// what it had begun within a minute.
func TestDeadWorkersAreReplaced(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes as long as a worker may be silent")
	}
	p := newPlant(t, 300, "latency:50ms")
	if err := p.start(t, "run", "NO_WORK=1").Wait(); err != nil {
		t.Fatal(err)
	}
	victim := p.start(t, "work")
	p.await(t, 30, time.Minute)
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	_ = victim.Wait()
	p.start(t, "work")
	p.await(t, 300, time.Minute)
	t.Logf("everything was done %v after the kill", time.Since(killed).Round(time.Second))
	p.checkLedger(t)
	p.checkOnce(t, p.people)
}

// TestPostgresIsRestarted takes the database away in the middle.
func TestPostgresIsRestarted(t *testing.T) {
	p := newPlant(t, 600, "latency:20ms")
	process := child(t, "run", p.env...)
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	for _, users := range []int{100, 300} {
		p.await(t, users, time.Minute)
		p.server.Stop(t)
		time.Sleep(700 * time.Millisecond)
		p.server.Run(t)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(3 * time.Minute):
		_ = process.Process.Kill()
		<-ended
		t.Fatalf("%d of 600 users", p.done())
	}
	p.checkLedger(t)
	p.checkOnce(t, p.people)
}
