package batch_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/ledger/pgtest"
)

// remoteLab is a lab in a process of its own.
type remoteLab struct {
	env     map[string]string
	command *exec.Cmd
}

func startRemoteLab(b testing.TB, a *authority, faults string) *remoteLab {
	b.Helper()
	dir := b.TempDir()
	command := child(b, "lab", "LAB_DIR="+dir, "LAB_FAULTS="+faults, "LAB_ROOT="+a.rootFile(b))
	stdin, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = command.Wait()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "ready\n" {
		b.Fatal(line, err)
	}
	return &remoteLab{env: readEnv(b, filepath.Join(dir, "env")), command: command}
}

func (r *remoteLab) stats(b testing.TB) lab.Stats {
	b.Helper()
	var stats lab.Stats
	get(b, r.env["LAB_CONTROL"]+"stats", &stats)
	return stats
}

// readEnv reads the exports of a lab.
func readEnv(b testing.TB, path string) map[string]string {
	b.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	env := map[string]string{}
	for line := range strings.Lines(string(data)) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if ok {
			env[name] = strings.Trim(value, `'"`)
		}
	}
	return env
}

func envInt(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// The batch that is measured: users in flight, what is added to each call, and how
// many calls a fresh user takes.
const (
	benchInFlight = 64
	benchLatency  = 50 * time.Millisecond
	benchCalls    = 4
)

// possible is how many fresh users a second the latency alone allows.
const possible = benchInFlight / (benchCalls * float64(benchLatency) / float64(time.Second))

func (r *remoteLab) setFaults(b testing.TB, fault string) {
	b.Helper()
	response, err := http.Post(r.env["LAB_CONTROL"]+"faults", "text/plain", strings.NewReader(fault))
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		b.Fatal(response.Status)
	}
}

// task is a batch of people at a remote lab.
func (r *remoteLab) task(b testing.TB, people string, l *ledger.Ledger) batch.Options {
	b.Helper()
	limiter := batch.NewLimiter(benchInFlight, 0)
	domain, err := gmail.Open(gmail.Config{CredentialsFile: r.env["CSE_PIV_CREDENTIALS"], Endpoint: r.env["CSE_PIV_GMAIL_ENDPOINT"],
		MaxConnections: batch.Connections(benchInFlight), Wait: limiter.Wait, Pace: limiter.Pace})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = domain.Close() })
	return batch.Options{Source: preparedFile(people), Prepare: prepared, Ledger: l, Limiter: limiter, Domain: batch.Gmail(domain), Operator: "bench"}
}

// BenchmarkFreshUsers registers 5,000 fresh users (or BENCH_USERS) and compares
// with what the latency alone would allow. BENCH_STORE names another ledger than
// a file.
func BenchmarkFreshUsers(b *testing.B) {
	users := envInt("BENCH_USERS", 5000)
	a := newAuthority(b)
	remote := startRemoteLab(b, a, "latency:"+benchLatency.String())
	for round := 0; b.Loop(); round++ {
		b.StopTimer()
		path := filepath.Join(b.TempDir(), "people.json")
		writePeople(b, path, a.people(b, users, "fresh"+strconv.Itoa(round)+"-"))
		store := os.Getenv("BENCH_STORE")
		if store == "" {
			store = filepath.Join(b.TempDir(), "ledger.db")
		}
		begun := time.Now()
		var started, finished time.Time
		options := remote.task(b, path, openLedger(b, store))
		options.Notify = func(event batch.Event) {
			switch event.Kind {
			case batch.KindStarted:
				started = event.Time
			case batch.KindFinished:
				finished = event.Time
			}
		}
		before, busy, labBusy := remote.stats(b), processTime(), pidTime(remote.command.Process.Pid)
		b.StartTimer()
		counts, err := batch.Run(context.Background(), options)
		b.StopTimer()
		if err != nil || counts.Done != users {
			b.Fatal(counts, err)
		}
		perSecond := float64(users) / finished.Sub(started).Seconds()
		b.ReportMetric(perSecond, "users/s")
		b.ReportMetric(100*perSecond/possible, "%_of_possible")
		b.ReportMetric(float64(remote.stats(b).APICalls-before.APICalls)/float64(users), "calls/user")
		b.ReportMetric(started.Sub(begun).Seconds(), "s_reading")
		b.ReportMetric((processTime()-busy).Seconds()*1000/float64(users), "cpu-ms/user")
		b.ReportMetric((pidTime(remote.command.Process.Pid)-labBusy).Seconds()*1000/float64(users), "lab-cpu-ms/user")
		b.StartTimer()
	}
}

// BenchmarkKnownUsers runs the same batch again: how many calls a user takes who
// is done already, looked at again or trusted.
func BenchmarkKnownUsers(b *testing.B) {
	const users = 2000
	a := newAuthority(b)
	remote := startRemoteLab(b, a, "off")
	path := filepath.Join(b.TempDir(), "people.json")
	writePeople(b, path, a.people(b, users, "known"))
	options := remote.task(b, path, openLedger(b, filepath.Join(b.TempDir(), "ledger.db")))
	if counts, err := batch.Run(context.Background(), options); err != nil || counts.Done != users {
		b.Fatal(counts, err)
	}
	remote.setFaults(b, "latency:"+benchLatency.String())
	for name, trust := range map[string]bool{"looked-at": false, "trusted": true} {
		options.TrustLedger = trust
		b.Run(name, func(b *testing.B) {
			before := remote.stats(b).APICalls
			for b.Loop() {
				if counts, err := batch.Run(context.Background(), options); err != nil || counts.Earlier != users {
					b.Fatal(counts, err)
				}
			}
			b.ReportMetric(users*float64(b.N)/b.Elapsed().Seconds(), "users/s")
			b.ReportMetric(float64(remote.stats(b).APICalls-before)/(users*float64(b.N)), "calls/user")
		})
	}
}

// BenchmarkWorkers compares two workers that share a ledger in PostgreSQL with
// one, everything on one machine.
func BenchmarkWorkers(b *testing.B) {
	const users = 3000
	server := pgtest.Start(b)
	a := newAuthority(b)
	remote := startRemoteLab(b, a, "latency:"+benchLatency.String())
	for round := 0; b.Loop(); round++ {
		var rate [3]float64
		for workers := 1; workers <= 2; workers++ {
			b.StopTimer()
			path := filepath.Join(b.TempDir(), "people.json")
			writePeople(b, path, a.people(b, users, fmt.Sprintf("shared%d-%d-", round, workers)))
			url := server.NewDatabase(b)
			l := openLedger(b, url)
			options := remote.task(b, path, l)
			options.NoWork = true
			if _, err := batch.Run(context.Background(), options); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			rate[workers] = users / workTime(b, remote, l, url, workers).Seconds()
		}
		b.ReportMetric(rate[1], "users/s_one")
		b.ReportMetric(rate[2], "users/s_two")
		b.ReportMetric(rate[2]/rate[1], "two_to_one")
	}
}

// workTime is how long that many workers take for what waits in a ledger.
func workTime(b *testing.B, remote *remoteLab, l *ledger.Ledger, url string, workers int) time.Duration {
	b.Helper()
	env := []string{"LEDGER=" + url}
	for name, value := range remote.env {
		env = append(env, name+"="+value)
	}
	started := time.Now()
	for range workers {
		process := child(b, "work", env...)
		if err := process.Start(); err != nil {
			b.Fatal(err)
		}
		defer func() {
			_ = process.Process.Signal(os.Interrupt)
			_ = process.Wait()
		}()
	}
	for {
		counts, err := l.Counts(context.Background(), 1)
		if err != nil || counts.Failed > 0 {
			b.Fatal(counts, err)
		}
		if counts.Waiting == 0 {
			return time.Since(started)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
