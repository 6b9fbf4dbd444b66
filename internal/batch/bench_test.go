package batch_test

import (
	"bufio"
	"context"
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

// BenchmarkFreshUsers registers 5,000 fresh users (or BENCH_USERS) with 50 ms
// added to each call, 64 in flight, and compares with what the latency alone
// would allow. BENCH_STORE names another ledger than a file.
func BenchmarkFreshUsers(b *testing.B) {
	const (
		inFlight = 64
		latency  = 50 * time.Millisecond
		calls    = 4
	)
	users := envInt("BENCH_USERS", 5000)
	a := newAuthority(b)
	remote := startRemoteLab(b, a, "latency:"+latency.String())
	for round := 0; b.Loop(); round++ {
		b.StopTimer()
		path := filepath.Join(b.TempDir(), "people.json")
		writePeople(b, path, a.people(b, users, "fresh"+strconv.Itoa(round)+"-"))
		store := os.Getenv("BENCH_STORE")
		if store == "" {
			store = filepath.Join(b.TempDir(), "ledger.db")
		}
		l := openLedger(b, store)
		limiter := batch.NewLimiter(inFlight, 0)
		domain, err := gmail.Open(gmail.Config{CredentialsFile: remote.env["CSE_PIV_CREDENTIALS"], Endpoint: remote.env["CSE_PIV_GMAIL_ENDPOINT"], MaxConnections: batch.Connections(inFlight), OnRetry: limiter.OnRetry, Pace: limiter.Pace})
		if err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		var started, finished time.Time
		options := batch.Options{Source: preparedFile(path), Prepare: prepared, Ledger: l, Limiter: limiter, Domain: batch.Gmail(domain), Operator: "bench",
			Notify: func(event batch.Event) {
				switch event.Kind {
				case batch.KindStarted:
					started = event.Time
				case batch.KindFinished:
					finished = event.Time
				}
			}}
		before, busy, labBusy := remote.stats(b), processTime(), pidTime(remote.command.Process.Pid)
		b.StartTimer()
		counts, err := batch.Run(context.Background(), options)
		b.StopTimer()
		if err != nil || counts.Done != users {
			b.Fatal(counts, err)
		}
		perSecond := float64(users) / finished.Sub(started).Seconds()
		possible := inFlight / (calls * latency.Seconds())
		b.ReportMetric(perSecond, "users/s")
		b.ReportMetric(100*perSecond/possible, "%_of_possible")
		b.ReportMetric(float64(remote.stats(b).APICalls-before.APICalls)/float64(users), "calls/user")
		b.ReportMetric(started.Sub(begun).Seconds(), "s_reading")
		b.ReportMetric((processTime()-busy).Seconds()*1000/float64(users), "cpu-ms/user")
		b.ReportMetric((pidTime(remote.command.Process.Pid)-labBusy).Seconds()*1000/float64(users), "lab-cpu-ms/user")
		_ = domain.Close()
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
