package batch_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// wire is a way to a practice Gmail without any connection, so that it works in
// virtual time: a call takes its latency, and down cuts the way.
type wire struct {
	gmail *workspace.Server

	mu      sync.Mutex
	latency time.Duration
	down    error
	refused int
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	latency, down := w.latency, w.down
	if down != nil {
		w.refused++
	}
	w.mu.Unlock()
	if down != nil {
		return nil, down
	}
	select {
	case <-time.After(latency):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if r.Body == nil { // as servers have it
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	answer := httptest.NewRecorder()
	w.gmail.ServeHTTP(answer, r)
	return answer.Result(), nil
}

func (w *wire) set(latency time.Duration, down error) (refused int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latency, w.down = latency, down
	refused, w.refused = w.refused, 0
	return refused
}

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

// virtual are a batch's options in virtual time, and the wire under it.
func virtual(t *testing.T, a *authority, users int) (batch.Options, *wire) {
	t.Helper()
	practice, err := workspace.New(workspace.Config{Domain: "lab.example", TrustRoots: []*x509.Certificate{a.root}})
	if err != nil {
		t.Fatal(err)
	}
	credentials := filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(credentials, practice.ServiceAccountJSON("http://127.0.0.1"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &wire{gmail: practice, latency: 50 * time.Millisecond}
	limiter := batch.NewLimiter(batch.DefaultConcurrency, 0)
	domain, err := gmail.Open(gmail.Config{CredentialsFile: credentials, Endpoint: "http://127.0.0.1", Pace: limiter.Pace, Wait: limiter.Wait, Transport: w})
	if err != nil {
		t.Fatal(err)
	}
	return batch.Options{Source: a.people(t, users, "virtual"), Prepare: prepare, Ledger: openLedger(t, ledgerFile(t)),
		Domain: batch.Gmail(domain), Limiter: limiter, Operator: "tester@here/1", Hint: whatHelps}, w
}

// TestAnHourWithoutGmail: the way to Gmail is gone for an hour in the middle of a
// run. It is told within seconds, the run pauses and tries one user now and then,
// and goes on; nobody fails.
func TestAnHourWithoutGmail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const users = 200
		options, w := virtual(t, newAuthority(t), users)
		var events journal
		var cut time.Time
		done := 0
		options.Notify = func(event batch.Event) {
			events.note(event)
			if event.Kind == batch.KindDone {
				if done++; done == 50 {
					cut = time.Now()
					w.set(0, errRefused)
					time.AfterFunc(time.Hour, func() {
						if refused := w.set(200*time.Millisecond, nil); refused > 4*batch.DefaultConcurrency+2*70 {
							t.Errorf("%d calls were tried", refused)
						}
					})
				}
			}
		}
		if counts, err := batch.Run(t.Context(), options); err != nil || counts != (ledger.Counts{Total: users, Done: users}) {
			t.Fatalf("%+v %v %+v", counts, err, events.events[len(events.events)-3:])
		}
		if back := time.Since(cut) - time.Hour; back > 2*time.Minute {
			t.Errorf("it ended %v after the hour", back)
		}
		first := map[batch.Kind]time.Duration{}
		for _, event := range events.events {
			if _, known := first[event.Kind]; !known && !event.Time.Before(cut) {
				first[event.Kind] = event.Time.Sub(cut)
			}
			if event.Kind != batch.KindStalled && event.Kind != batch.KindPaused {
				continue
			}
			if event.Message != "token: no connection: connection refused" && event.Message != "keypairs.list: no connection: connection refused" &&
				event.Message != "keypairs.create: no connection: connection refused" && event.Message != "identities.create: no connection: connection refused" ||
				event.Hint == "" || event.Counts == nil || event.Counts.Waiting < 100 || event.Outage.Next > 61*time.Second {
				t.Errorf("%+v %+v", event, event.Outage)
			}
		}
		if first[batch.KindStalled] > 5*time.Second || first[batch.KindPaused] > 20*time.Second || first[batch.KindResumed] < time.Hour {
			t.Errorf("%v", first)
		}
		if n := events.count(batch.KindPaused); n < 55 || n > 65 {
			t.Errorf("told %d times in an hour", n)
		}
	})
}

// TestStoppingAnOutage: an interrupt ends a run in seconds, whether calls are refused
// or are never answered.
func TestStoppingAnOutage(t *testing.T) {
	for name, test := range map[string]struct {
		latency time.Duration
		down    error
		most    time.Duration
	}{
		"refused":      {0, errRefused, time.Second},
		"never answer": {time.Hour, nil, 12 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				options, w := virtual(t, newAuthority(t), 100)
				w.set(test.latency, test.down)
				stopping := make(chan struct{})
				options.Stopping = stopping
				var stopped time.Time
				time.AfterFunc(100*time.Second, func() {
					stopped = time.Now()
					close(stopping)
				})
				var events journal
				options.Notify = events.note
				counts, err := batch.Run(context.Background(), options)
				if took := time.Since(stopped); !isInterrupted(err) || counts != (ledger.Counts{Total: 100, Waiting: 100}) || took > test.most {
					t.Errorf("%+v %v after %v", counts, err, took)
				}
				if events.count(batch.KindStalled) == 0 || events.count(batch.KindPaused) == 0 {
					t.Error("nothing was told")
				}
			})
		})
	}
}
