package cli_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// scrape is what a process served, read as Prometheus does.
type scrape struct {
	text     string
	families map[string]*dto.MetricFamily
}

// sum adds up the figures of a family whose labels have these values: "label=value".
func (s scrape) sum(name string, labels ...string) float64 {
	total := 0.0
	for _, metric := range s.families[name].GetMetric() {
		values := map[string]bool{}
		for _, label := range metric.GetLabel() {
			values[label.GetName()+"="+label.GetValue()] = true
		}
		all := true
		for _, label := range labels {
			all = all && values[label]
		}
		if all {
			total += metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return total
}

// served is a process of the program that serves metrics.
type served struct {
	t       *testing.T
	process *exec.Cmd
	url     string        // of /metrics
	ended   chan struct{} // closed when it ended, with err
	err     error
	said    strings.Builder // on standard error, once it ended
}

// serve starts the program with --metrics, and waits until it says where they are.
func (d *labDesk) serve(args ...string) *served {
	d.t.Helper()
	s := &served{t: d.t, ended: make(chan struct{})}
	s.process = exec.Command("cse-piv", append(args, "--metrics", "127.0.0.1:0")...)
	s.process.Env, s.process.Dir = d.env, d.dir
	messages, err := s.process.StderrPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		d.t.Fatal(err)
	}
	urls := make(chan string, 1)
	go func() {
		defer close(s.ended)
		defer close(urls)
		lines := bufio.NewScanner(messages)
		for lines.Scan() {
			s.said.WriteString(lines.Text() + "\n")
			if url, found := strings.CutPrefix(lines.Text(), "cse-piv: metrics are at "); found {
				urls <- url
			}
		}
		s.err = s.process.Wait()
	}()
	d.t.Cleanup(func() { s.kill() })
	if s.url = <-urls; s.url == "" {
		<-s.ended
		d.t.Fatalf("%v: %v\n%s", args, s.err, s.said.String())
	}
	return s
}

func (s *served) kill() {
	_ = s.process.Process.Kill()
	<-s.ended
}

// get asks for a path; ok is false when the process does not serve any more.
func (s *served) get(path string) (status int, text string, ok bool) {
	response, err := http.Get(strings.TrimSuffix(s.url, "/metrics") + path)
	if err != nil {
		return 0, "", false
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err == nil
}

func (s *served) scrape() (scrape, bool) {
	s.t.Helper()
	status, text, ok := s.get("/metrics")
	if !ok {
		return scrape{}, false
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil || status != http.StatusOK {
		s.t.Fatalf("%d, %v\n%s", status, err, text)
	}
	return scrape{text, families}, true
}

// await scrapes until something is so.
func (s *served) await(so func(scrape) bool) scrape {
	s.t.Helper()
	for {
		got, ok := s.scrape()
		if !ok {
			<-s.ended
			s.t.Fatalf("it ended before: %v\n%s", s.err, s.said.String())
		}
		if so(got) {
			return got
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// awaitHealth asks until /readyz answers with a status, and returns the text.
func (s *served) awaitHealth(want int) string {
	s.t.Helper()
	for {
		status, text, ok := s.get("/readyz")
		if !ok {
			<-s.ended
			s.t.Fatalf("it ended before: %v\n%s", s.err, s.said.String())
		}
		if status == want {
			return text
		}
		if alive, _, ok := s.get("/healthz"); ok && alive != http.StatusOK {
			s.t.Errorf("/healthz: %d", alive)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// unread opens connections that ask for metrics and never read an answer, or ask for
// nothing.
func (s *served) unread() {
	s.t.Helper()
	for _, request := range []string{strings.Repeat("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 100), "GET /met"} {
		connection, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/metrics"))
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { connection.Close() })
		if _, err := io.WriteString(connection, request); err != nil {
			s.t.Fatal(err)
		}
	}
}
