package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gofrs/flock"
	"github.com/jackc/pgx/v5"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/ledger/pgtest"
	"github.com/cse-piv/cse-piv/internal/metrics"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// crowd writes a manifest of so many users with certificates of the lab's, and one whose
// certificate is missing, as people.csv and chain.pem.
func (d *labDesk) crowd(users int) {
	d.t.Helper()
	manifest := "email,certificate\nnobody@lab.example,nobody.pem\n"
	for i := 1; i <= users; i++ {
		email := fmt.Sprintf("user%d@lab.example", i)
		certificate, err := issueBy(d.lab.CA(), email)
		if err != nil {
			d.t.Fatal(err)
		}
		d.write(email+".pem", string(certificate))
		manifest += email + "," + email + ".pem\n"
	}
	d.write("people.csv", manifest)
	d.write("chain.pem", string(certificate.EncodePEM(d.lab.CA().Issuing(), d.lab.CA().Root())))
}

func (d *labDesk) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// inspect looks for what must not be in a scrape.
func (d *labDesk) inspect(texts ...string) {
	d.t.Helper()
	var account struct {
		Email string `json:"client_email"`
		Key   string `json:"private_key_id"`
	}
	if data, err := os.ReadFile(filepath.Join(d.dir, "lab", "service-account.json")); err != nil || json.Unmarshal(data, &account) != nil || account.Email == "" {
		d.t.Fatal(err)
	}
	for _, text := range texts {
		for _, canary := range []string{"@", "lab.example", "user1", "ya29", "eyJ", account.Email, d.dir, "postgres:", "ledger1", "tester", ".pem"} {
			if strings.Contains(text, canary) {
				d.t.Errorf("%q is in what is served:\n%s", canary, text)
			}
		}
	}
}

// TestMetricsOfABatch: a batch is scraped while it runs, by some who never read the answer;
// what it serves is what the lab and the ledger say, and Prometheus's own tool finds no fault.
func TestMetricsOfABatch(t *testing.T) {
	d := newLabDesk(t, lab.Options{NoCard: true, Faults: []string{"latency:20ms", "api:429@keypairs.list:1", "api:429@keypairs.list:2", "api:429@keypairs.list:3", "cse-off:user3@lab.example"}})
	d.crowd(30)
	batch := d.serve("batch", "people.csv", "--chain", "chain.pem", "--store", "ledger.db", "--concurrency", "16", "--qps", "20", "--retry-base", "5ms")
	batch.unread()
	var last scrape
	for scrapes := 0; ; scrapes++ {
		got, ok := batch.scrape()
		if !ok {
			if scrapes < 5 {
				t.Errorf("%d scrapes", scrapes)
			}
			break
		}
		for _, name := range []string{"cse_piv_users_total", "cse_piv_gmail_calls_total", "cse_piv_rate_limit_waits_total"} {
			if got.sum(name) < last.sum(name) {
				t.Errorf("%s fell from %v to %v", name, last.sum(name), got.sum(name))
			}
		}
		last = got
	}
	<-batch.ended
	if code := batch.process.ProcessState.ExitCode(); code != 3 {
		t.Fatalf("exit code %d\n%s", code, batch.said.String())
	}
	for name, least := range map[string]float64{
		"cse_piv_users_total": 5, "cse_piv_gmail_calls_total": 20, "cse_piv_gmail_call_duration_seconds": 20,
		"cse_piv_rate_limit_waits_total": 5, "cse_piv_build_info": 1, "cse_piv_ledger_up": 1, "cse_piv_users_in_flight_limit": 1,
	} {
		if got := last.sum(name); got < least {
			t.Errorf("%s is %v", name, got)
		}
	}
	if last.sum("cse_piv_gmail_calls_total", "method=keypairs.list", "status=429", "answer=rate-limited") != 3 || last.sum("cse_piv_gmail_call_retries_total", "method=keypairs.list", "answer=rate-limited") != 3 {
		t.Errorf("the rate limit is not counted:\n%s", last.text)
	}
	if last.sum("cse_piv_rate_limit_waits_total", "cause=rate-limited") < 3 || last.sum("cse_piv_rate_limit_wait_seconds_total", "cause=own") <= 0 {
		t.Errorf("waits are not counted:\n%s", last.text)
	}
	if last.sum("cse_piv_users_total", "outcome=failed", "reason=certificate-unreadable") != 1 {
		t.Errorf("the bad row is not counted:\n%s", last.text)
	}
	d.inspect(last.text)
	check := exec.Command(testenv.Program(t, "promtool"), "check", "metrics")
	check.Stdin = strings.NewReader(last.text)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v: %s", err, out)
	}
}

// TestMetricsOfWorkers: a worker is killed in the middle, another one takes up its work; the
// figures of the second and the ledger agree at the end, and the lab counted the same calls.
func TestMetricsOfWorkers(t *testing.T) {
	server := pgtest.Start(t)
	d := newLabDesk(t, lab.Options{NoCard: true, Faults: []string{"latency:20ms", "cse-off:user3@lab.example"}})
	url := server.NewDatabase(t)
	d.env = append(d.env, "CSE_PIV_STORE="+url)
	d.crowd(40)
	filling := exec.Command("cse-piv", "batch", "people.csv", "--chain", "chain.pem", "--enqueue-only")
	filling.Env, filling.Dir = d.env, d.dir
	if out, err := filling.CombinedOutput(); filling.ProcessState.ExitCode() != 3 { // one row is bad
		t.Fatalf("%v\n%s", err, out)
	}
	first := d.serve("worker", "--concurrency", "2")
	first.await(func(s scrape) bool { return s.sum("cse_piv_users_total", "outcome=done") >= 5 })
	first.kill()
	book, err := ledger.Open(t.Context(), url, ledger.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	before, err := book.Counts(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	calls := d.lab.Stats().Methods
	// What is dead is seen to be so at once.
	connection, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := connection.Exec(t.Context(), `DELETE FROM worker`); err != nil {
		t.Fatal(err)
	}
	if err := connection.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	second := d.serve("worker", "--concurrency", "4")
	second.unread()
	end := second.await(func(s scrape) bool {
		return s.sum("cse_piv_ledger_up") == 1 && s.sum("cse_piv_queue_users") == 0 && s.sum("cse_piv_users_in_flight") == 0 &&
			s.sum("cse_piv_users_total") == float64(before.Waiting)
	})
	after, err := book.Counts(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if after.Waiting != 0 || after.Done != 39 || after.Failed != 2 {
		t.Errorf("%+v", after)
	}
	if done := end.sum("cse_piv_users_total", "outcome=done"); int(done) != after.Done-before.Done || done == 0 {
		t.Errorf("%v done, and %d, then %d in the ledger", done, before.Done, after.Done)
	}
	if failed := end.sum("cse_piv_users_total", "outcome=failed"); int(failed) != after.Failed-before.Failed || failed != end.sum("cse_piv_users_total", "reason=cse-off") {
		t.Errorf("%v failed, and %d, then %d in the ledger", failed, before.Failed, after.Failed)
	}
	if end.sum("cse_piv_workers") != 1 || end.sum("cse_piv_heartbeats_total", "outcome=ok") < 1 || end.sum("cse_piv_last_heartbeat_timestamp_seconds") == 0 {
		t.Errorf("the worker does not show:\n%s", end.text)
	}
	for method, n := range d.lab.Stats().Methods {
		if got := end.sum("cse_piv_gmail_calls_total", "method="+method); int64(got) != n-calls[method] {
			t.Errorf("%s: %v calls are counted, and the lab had %d", method, got, n-calls[method])
		}
	}
	ready := second.awaitHealth(http.StatusOK)
	if want := "work: ok: users are begun\nledger: ok: answers\nheartbeat: ok: the last was "; !strings.HasPrefix(ready, want) {
		t.Errorf("%q", ready)
	}
	d.inspect(end.text, ready)

	server.Stop(t)
	away := second.awaitHealth(http.StatusServiceUnavailable)
	if !strings.Contains(away, "ledger: failed: does not answer\n") {
		t.Errorf("%q", away)
	}
	gone := second.await(func(s scrape) bool { return s.sum("cse_piv_ledger_up") == 0 })
	if gone.families["cse_piv_queue_users"] != nil {
		t.Errorf("a queue is told that nobody can see:\n%s", gone.text)
	}
	// Work meets it, too.
	trouble := second.await(func(s scrape) bool {
		return s.sum("cse_piv_ledger_errors_total", "problem=server")+s.sum("cse_piv_heartbeats_total", "outcome=failed") > 0
	})
	server.Run(t)
	second.awaitHealth(http.StatusOK)
	back := second.await(func(s scrape) bool { return s.sum("cse_piv_ledger_up") == 1 })
	d.inspect(away, gone.text, trouble.text, back.text)

	if err := second.process.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-second.ended
	if second.err != nil {
		t.Errorf("%v\n%s", second.err, second.said.String())
	}
	if _, _, ok := second.get("/healthz"); ok {
		t.Error("it serves after its end")
	}
}

// TestAlerts: the alerts that the documentation gives are taken by Prometheus, and are
// about what is served.
func TestAlerts(t *testing.T) {
	page, err := os.ReadFile("../../docs/how-to/watching-workers.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, family := range metrics.Families() {
		known[family.Name] = true
	}
	for _, name := range regexp.MustCompile(`cse_piv_\w+`).FindAllString(string(page), -1) {
		if !known[name] {
			t.Errorf("%s is not served", name)
		}
	}
	_, alerts, found := strings.Cut(string(page), "```yaml\ngroups:\n")
	alerts, _, ended := strings.Cut(alerts, "```")
	if !found || !ended {
		t.Fatal("there are no alerts")
	}
	promtool := testenv.Program(t, "promtool")
	file := filepath.Join(t.TempDir(), "alerts.yml")
	if err := os.WriteFile(file, []byte("groups:\n"+alerts), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(promtool, "check", "rules", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "SUCCESS: 6 rules found") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestHealthOfABatch: it is not ready while another process has the ledger, then it is, and
// not when it was told to stop.
func TestHealthOfABatch(t *testing.T) {
	d := newLabDesk(t, lab.Options{NoCard: true, Faults: []string{"latency:1s"}})
	d.crowd(20)
	lock := flock.New(filepath.Join(d.dir, "ledger.db.lock"))
	if got, err := lock.TryLock(); err != nil || !got {
		t.Fatal(got, err)
	}
	batch := d.serve("batch", "people.csv", "--chain", "chain.pem", "--store", "ledger.db", "--wait", "--concurrency", "2")
	if waiting := batch.awaitHealth(http.StatusServiceUnavailable); waiting != "work: ok: users are begun\nledger: failed: is not open yet\n" {
		t.Errorf("%q", waiting)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if ready := batch.awaitHealth(http.StatusOK); ready != "work: ok: users are begun\nledger: ok: answers\n" {
		t.Errorf("%q", ready)
	}
	at := batch.await(func(s scrape) bool { return s.sum("cse_piv_users_in_flight") == 2 })
	if waiting := at.sum("cse_piv_queue_users"); waiting < 1 || waiting > 20 {
		t.Errorf("%v users wait", waiting)
	}
	if err := batch.process.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if stopping := batch.awaitHealth(http.StatusServiceUnavailable); !strings.HasPrefix(stopping, "work: failed: no more users are begun\n") {
		t.Errorf("%q", stopping)
	}
	<-batch.ended
	if code := batch.process.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d\n%s", code, batch.said.String())
	}
}
