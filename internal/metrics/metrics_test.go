package metrics_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/cse-piv/cse-piv/internal/metrics"
	"github.com/cse-piv/cse-piv/internal/testenv"
)

// full are figures with something in each family.
func full() *metrics.Metrics {
	m := metrics.New("1.2.3", func(context.Context) metrics.State {
		return metrics.State{InFlight: 3, Limit: 64, Paused: true, Ledger: &metrics.LedgerState{Waiting: 7, Due: 5, Workers: 2}}
	})
	m.UserDone()
	m.UserDone()
	m.UserFailed("cse-off")
	m.UserRetry("unavailable")
	m.Call("keypairs.create", 200, "ok", 300*time.Millisecond)
	m.Call("keypairs.create", 429, "rate-limited", time.Second)
	m.Call("token", 0, "unavailable", time.Minute)
	m.Call("token", 70000, "protocol", time.Second)
	m.CallRetry("keypairs.create", "rate-limited")
	m.Waited("own", 1500*time.Millisecond)
	m.LedgerError("changed")
	m.Heartbeat(time.UnixMilli(1_800_000_000_500))
	m.HeartbeatFailed()
	return m
}

func serve(t *testing.T, m *metrics.Metrics, ready func(context.Context) []metrics.Check) *metrics.Server {
	t.Helper()
	server, err := metrics.Serve("127.0.0.1:0", false, metrics.Handler(m, ready))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// parse reads a scrape as Prometheus does.
func parse(t *testing.T, text string) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return families
}

// TestFamilies: what is served are the families that the reference page is made from, with
// their types, labels and texts, and nothing else but the Go runtime's and the process's own.
func TestFamilies(t *testing.T) {
	status, text := get(t, serve(t, full(), nil).URL())
	if status != http.StatusOK {
		t.Fatal(status, text)
	}
	served := parse(t, text)
	for _, f := range metrics.Families() {
		got := served[f.Name]
		delete(served, f.Name)
		if got == nil {
			t.Errorf("%s is not served", f.Name)
			continue
		}
		if kind := strings.ToLower(got.GetType().String()); kind != string(f.Type) || got.GetHelp() != f.Help {
			t.Errorf("%s is a %s: %s", f.Name, kind, got.GetHelp())
		}
		for _, metric := range got.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, label.GetName())
			}
			want := slices.Sorted(slices.Values(f.Labels))
			if slices.Sort(labels); !slices.Equal(labels, want) {
				t.Errorf("%s has labels %v, want %v", f.Name, labels, want)
			}
		}
	}
	for name := range served {
		if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s is served, and no family", name)
		}
	}
	for _, line := range []string{
		`cse_piv_users_total{outcome="done",reason=""} 2`, `cse_piv_users_total{outcome="failed",reason="cse-off"} 1`,
		`cse_piv_gmail_calls_total{answer="rate-limited",method="keypairs.create",status="429"} 1`,
		`cse_piv_gmail_calls_total{answer="unavailable",method="token",status="none"} 1`,
		`cse_piv_gmail_calls_total{answer="protocol",method="token",status="other"} 1`,
		`cse_piv_gmail_call_duration_seconds_bucket{method="keypairs.create",le="0.5"} 1`,
		`cse_piv_gmail_call_duration_seconds_count{method="keypairs.create"} 2`,
		`cse_piv_rate_limit_wait_seconds_total{cause="own"} 1.5`, `cse_piv_last_heartbeat_timestamp_seconds 1.8000000005e+09`,
		`cse_piv_queue_users 7`, `cse_piv_queue_due_users 5`, `cse_piv_workers 2`, `cse_piv_ledger_up 1`, `cse_piv_paused 1`,
		`cse_piv_users_in_flight 3`, `cse_piv_users_in_flight_limit 64`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("%s is not served:\n%s", line, text)
		}
	}
}

// TestPromtool has Prometheus's own tool judge names, types and texts.
func TestPromtool(t *testing.T) {
	promtool := testenv.Program(t, "promtool")
	_, text := get(t, serve(t, full(), nil).URL())
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

// TestLedgerAway: without the ledger's answer its figures are missing, not 0.
func TestLedgerAway(t *testing.T) {
	m := metrics.New("1", func(context.Context) metrics.State { return metrics.State{Limit: 64} })
	_, text := get(t, serve(t, m, nil).URL())
	families := parse(t, text)
	if up := families["cse_piv_ledger_up"]; up == nil || up.GetMetric()[0].GetGauge().GetValue() != 0 {
		t.Error(up)
	}
	if families["cse_piv_queue_users"] != nil || families["cse_piv_workers"] != nil {
		t.Error(text)
	}
}

// TestLedgerThatHangs: a scrape waits for it for a bounded time.
func TestLedgerThatHangs(t *testing.T) {
	m := metrics.New("1", func(ctx context.Context) metrics.State {
		<-ctx.Done()
		return metrics.State{}
	})
	status, text := get(t, serve(t, m, nil).URL())
	if status != http.StatusOK || !strings.Contains(text, "\ncse_piv_ledger_up 0\n") {
		t.Error(status, text)
	}
}

// TestHealth: alive as long as it runs, ready when every check is passed.
func TestHealth(t *testing.T) {
	var bad atomic.Bool
	server := serve(t, full(), func(context.Context) []metrics.Check {
		return []metrics.Check{{Name: "work", OK: true, Text: "users are begun"}, {Name: "ledger", OK: !bad.Load(), Text: "says something"}}
	})
	base := strings.TrimSuffix(server.URL(), "/metrics")
	for _, want := range []struct {
		bad    bool
		status int
		text   string
	}{
		{false, 200, "work: ok: users are begun\nledger: ok: says something\n"},
		{true, 503, "work: ok: users are begun\nledger: failed: says something\n"},
		{false, 200, "work: ok: users are begun\nledger: ok: says something\n"},
	} {
		bad.Store(want.bad)
		if status, text := get(t, base+"/readyz"); status != want.status || text != want.text {
			t.Errorf("%d %q", status, text)
		}
		if status, text := get(t, base+"/healthz"); status != 200 || text != "alive\n" {
			t.Errorf("%d %q", status, text)
		}
	}
	for path, want := range map[string]int{"/": 404, "/debug/pprof/": 404, "/metrics/x": 404} {
		if status, _ := get(t, base+path); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	response, err := http.Post(server.URL(), "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Error(response.Status)
	}
}

// TestScrapesInTurn: a scrape that waits for another one's turn has the whole time for the ledger.
func TestScrapesInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slow = 1500 * time.Millisecond // two of them are more than one scrape may take
		m := metrics.New("1", func(ctx context.Context) metrics.State {
			select {
			case <-time.After(slow):
				return metrics.State{Ledger: &metrics.LedgerState{}}
			case <-ctx.Done():
				return metrics.State{}
			}
		})
		handler := metrics.Handler(m, nil)
		var scrapes sync.WaitGroup
		for range 2 {
			scrapes.Go(func() {
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
				if !strings.Contains(answer.Body.String(), "\ncse_piv_ledger_up 1\n") {
					t.Errorf("%d %s", answer.Code, answer.Body)
				}
			})
		}
		scrapes.Wait()
	})
}

// TestAddresses: only this machine's own without being allowed, and an error for what is
// none or in use.
func TestAddresses(t *testing.T) {
	handler := metrics.Handler(full(), nil)
	first, err := metrics.Serve("localhost:0", false, handler)
	if err != nil {
		t.Fatal(err)
	}
	used := strings.TrimSuffix(strings.TrimPrefix(first.URL(), "http://"), "/metrics")
	for address, remote := range map[string]bool{"0.0.0.0:0": true, "[::]:0": true, "192.0.2.1:0": true, used: false, ":9090": false, "9090": false, "127.0.0.1": false, "127.0.0.1:none": false, "": false} {
		server, err := metrics.Serve(address, false, handler)
		if err == nil {
			server.Close()
			t.Errorf("%q is served", address)
		}
		if errors.Is(err, metrics.ErrInUse) != (address == used) {
			t.Errorf("%q: %v", address, err)
		}
		if errors.Is(err, metrics.ErrRemote) != remote {
			t.Errorf("%q: %v", address, err)
		}
	}
	first.Close()
	first.Close()
	if _, err := http.Get(first.URL()); err == nil {
		t.Error("it is served after the end")
	}
	everywhere, err := metrics.Serve("0.0.0.0:0", true, handler)
	if err != nil {
		t.Fatal(err)
	}
	everywhere.Close()
}

// TestBadClients: who sends nothing, half a request or a large one, or reads nothing of the
// answers, keeps neither others from theirs nor the end from coming.
func TestBadClients(t *testing.T) {
	server := serve(t, full(), func(context.Context) []metrics.Check { return nil })
	host := strings.TrimSuffix(strings.TrimPrefix(server.URL(), "http://"), "/metrics")
	const request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, sent := range []string{"", "GET /metr", "GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 1<<20), strings.Repeat(request, 2000), "\x16\x03\x01\x00"} {
		for range 3 {
			connection, err := net.Dial("tcp", host)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			if err := connection.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(connection, sent) // as far as it is taken
		}
	}
	for range 10 {
		for {
			status, text := get(t, server.URL())
			if status == http.StatusServiceUnavailable {
				time.Sleep(10 * time.Millisecond)
				continue // others are being answered
			}
			if status != http.StatusOK || !strings.Contains(text, "cse_piv_users_total") {
				t.Fatal(status, text)
			}
			break
		}
	}
	server.Close()
}
