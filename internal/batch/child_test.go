package batch_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// roleVariable makes this test binary another program.
const roleVariable = "CSE_PIV_BATCH_TEST_ROLE"

func TestMain(m *testing.M) {
	var err error
	switch role := os.Getenv(roleVariable); role {
	case "":
		code := m.Run()
		_ = os.RemoveAll(childDir())
		os.Exit(code)
	case "lab":
		err = labProcess()
	case "crowd":
		err = crowdProcess()
	case "run", "work":
		err = batchProcess(role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// labProcess is a practice lab in LAB_DIR until its standard input ends.
func labProcess() error {
	var faults []string
	if spec := os.Getenv("LAB_FAULTS"); spec != "" {
		faults = strings.Split(spec, ",")
	}
	running, err := lab.Start(context.Background(), lab.Options{Dir: os.Getenv("LAB_DIR"), Readers: -1, Faults: faults, TrustRoots: []string{os.Getenv("LAB_ROOT")}})
	if err != nil {
		return err
	}
	if path := os.Getenv("LAB_PROFILE"); path != "" {
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Println("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString(0)
	return running.Close()
}

// batchProcess runs or works with what the environment names.
func batchProcess(role string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	l, err := ledger.Open(ctx, os.Getenv("LEDGER"), ledger.Options{Wait: ledger.WaitForEver})
	if err != nil {
		return err
	}
	defer l.Close()
	limiter := batch.NewLimiter(batch.DefaultConcurrency, 0)
	domain, err := gmail.Open(gmail.Config{CredentialsFile: os.Getenv("CSE_PIV_CREDENTIALS"), Endpoint: os.Getenv("CSE_PIV_GMAIL_ENDPOINT"),
		RetryBase: 10 * time.Millisecond, Pace: limiter.Pace, Wait: limiter.Wait})
	if err != nil {
		return err
	}
	options := batch.Options{Source: preparedFile(os.Getenv("PEOPLE")), Prepare: prepared, Ledger: l, Limiter: limiter, Domain: batch.Gmail(domain),
		RetryBase: 50 * time.Millisecond, Operator: fmt.Sprintf("tester@here/%d", os.Getpid()), Stopping: ctx.Done()}
	if role == "work" {
		err = batch.Work(context.Background(), options)
	} else {
		options.NoWork = os.Getenv("NO_WORK") != ""
		var counts ledger.Counts
		if counts, err = batch.Run(context.Background(), options); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(counts)
		}
	}
	if isInterrupted(err) {
		return nil
	}
	return err
}

// childDir is the folder of childBinary.
func childDir() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("cse-piv-batch-child-%d", os.Getpid()))
}

// childBinary is this test binary, without the race detector: it takes most of the time
// of processes that are killed and looked at from outside only.
var childBinary = sync.OnceValues(func() (string, error) {
	if !raceEnabled {
		return os.Args[0], nil
	}
	if err := os.Mkdir(childDir(), 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(childDir(), "child")
	if out, err := exec.Command("go", "test", "-c", "-race=false", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// child starts this test binary in another role.
func child(t testing.TB, role string, env ...string) *exec.Cmd {
	t.Helper()
	path, err := childBinary()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, "-test.run=^$")
	command.Env = append(append(os.Environ(), roleVariable+"="+role), env...)
	command.Stderr = os.Stderr
	return command
}

// process is a child that runs.
type process struct {
	*exec.Cmd
	ended chan struct{}
	err   error // once it ended
}

// start starts a command; what is left of it is killed when the test ends.
func start(t testing.TB, command *exec.Cmd) *process {
	t.Helper()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: command, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.err = command.Wait()
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-p.ended
	})
	return p
}

// await waits until something is so, however long it takes: a process that ends
// before has failed, and one that hangs is ended with all tests.
func (p *process) await(t testing.TB, so func() bool) {
	t.Helper()
	for !so() {
		select {
		case <-p.ended:
			if !so() {
				t.Fatalf("a process ended before its time: %v", p.err)
			}
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// end waits for the process's own end.
func (p *process) end() error {
	<-p.ended
	return p.err
}

// kill ends the process as a power cut would.
func (p *process) kill(t testing.TB) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
}

// environment leads a child to the office.
func (o *office) environment() []string {
	var env []string
	for name, value := range o.lab.Env() {
		env = append(env, name+"="+value)
	}
	return env
}

// preparedFile is a source of rows that were prepared before: JSON, one entry a
// line, the chain as the description.
type preparedFile string

func (f preparedFile) Name() string { return string(f) }

type preparedRow struct {
	Email, Leaf, PKCS7 string
}

func (f preparedFile) Rows(context.Context) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		file, err := os.Open(string(f))
		if err != nil {
			yield(source.Row{}, err)
			return
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for n := 1; lines.Scan(); n++ {
			var row preparedRow
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
				yield(source.Row{}, err)
				return
			}
			if !yield(source.Row{Email: row.Email, Where: fmt.Sprintf("people.json line %d", n), Line: n, Description: row.Leaf,
				Certificates: []source.Certificate{{Use: certificate.UseBoth, Data: []byte(row.PKCS7)}}}, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(source.Row{}, err)
		}
	}
}

func prepared(_ context.Context, row source.Row) ledger.Entry {
	return ledger.Entry{Email: row.Email, Where: row.Where, Line: row.Line, Pairs: []ledger.Pair{{
		Use: "both", LeafSHA256: row.Description, Description: "card", PKCS7: row.Certificates[0].Data}}}
}

// writePeople makes a preparedFile.
func writePeople(t testing.TB, path string, people rows) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(file)
	for _, row := range people {
		pair := prepare(context.Background(), row).Pairs[0]
		if err := json.NewEncoder(out).Encode(preparedRow{Email: row.Email, Leaf: pair.LeafSHA256, PKCS7: string(pair.PKCS7)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(out.Flush(), file.Close()); err != nil {
		t.Fatal(err)
	}
}

// get reads JSON from the lab's control endpoint.
func get(t testing.TB, url string, into any) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
