package batch_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/logging"
)

// lockedBuffer is a bytes.Buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// TestLinesOfOneAttempt: each line of the log that is about a user says so in the same
// attributes, whoever wrote it, and each of a call how often it was made; none says a thing
// twice.
func TestLinesOfOneAttempt(t *testing.T) {
	o := newOffice(t, "api:503@keypairs.list:1", "api:503@keypairs.list:2", "api:503@token:1")
	var out lockedBuffer
	ctx := logging.With(t.Context(), slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	limiter := batch.NewLimiter(1, 0)
	domain, err := gmail.Open(gmail.Config{CredentialsFile: o.lab.Env()["CSE_PIV_CREDENTIALS"], Endpoint: o.lab.Env()["CSE_PIV_GMAIL_ENDPOINT"],
		RetryBase: time.Millisecond, MaxTries: 2, Pace: limiter.Pace, Wait: limiter.Wait})
	if err != nil {
		t.Fatal(err)
	}
	defer domain.Close()
	options := batch.Options{Source: o.people(t, 3), Prepare: prepare, Ledger: openLedger(t, ledgerFile(t)), Limiter: limiter, Domain: batch.Gmail(domain),
		RetryBase: time.Millisecond, Operator: "tester@here/1"}
	if counts, err := batch.Run(ctx, options); err != nil || counts.Done != 3 {
		t.Fatal(counts, err)
	}
	count := map[string]int{}
	for line := range strings.Lines(out.String()) {
		var record struct {
			Msg, Event, Email, Path string
			Run, UserAttempt        int
			Attempt                 int
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		for name := range fields {
			if strings.Count(line, fmt.Sprintf(`"%s":`, name)) != 1 {
				t.Errorf("%s is said twice: %s", name, line)
			}
		}
		if err := json.Unmarshal([]byte(strings.Replace(line, "user_attempt", "userattempt", 1)), &record); err != nil {
			t.Fatal(err)
		}
		if record.Run != 1 {
			t.Errorf("the run is not said: %s", line)
		}
		about := record.Msg == "http" || record.Event == "done" || record.Event == "retry"
		if about && (record.Email == "" || record.UserAttempt < 1) {
			t.Errorf("the user and the attempt are not said: %s", line)
		}
		if (record.Msg == "http") != (record.Attempt > 0) {
			t.Errorf("attempt: %s", line)
		}
		count[fmt.Sprintf("%s%s %d/%d", record.Msg, record.Event, record.UserAttempt, record.Attempt)]++
	}
	for _, kind := range []string{"http 1/1", "http 1/2", "http 2/1", "batchretry 1/0", "batchdone 1/0", "batchdone 2/0"} {
		if count[kind] == 0 {
			t.Errorf("no line of kind %s: %v", kind, count)
		}
	}
}
