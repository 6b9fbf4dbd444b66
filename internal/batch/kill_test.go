package batch_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestKilledTwentyTimes kills a run of 2,000 users (SIGKILL) at twenty moments,
// then lets it come to its end: every user has one key pair and one identity.
func TestKilledTwentyTimes(t *testing.T) {
	users, kills := 2000, 20
	if testing.Short() {
		users, kills = 200, 5
	}
	// So slow that a run is far from its end whenever a busy machine comes to kill it.
	o := newOffice(t, "latency:20ms", "api:3%")
	people := o.people(t, users)
	dir := t.TempDir()
	writePeople(t, filepath.Join(dir, "people.json"), people)
	env := append(o.environment(), "PEOPLE="+filepath.Join(dir, "people.json"), "LEDGER="+filepath.Join(dir, "ledger.db"))

	done := o.counter(people)
	for range kills {
		process := start(t, child(t, "run", env...))
		// It has to get somewhere, and then dies at any moment.
		goal := done() + 1 + rand.IntN(users/kills/2)
		process.await(t, func() bool { return done() >= goal })
		process.kill(t)
	}
	left := users - done()
	t.Logf("%d of %d users were left after the last kill", left, users)
	if left <= 0 {
		t.Error("it was over before the last kill")
	}
	o.setFaults(t, "latency:2ms", "api:3%")
	last := child(t, "run", env...)
	var out bytes.Buffer
	last.Stdout = &out
	if err := last.Run(); err != nil {
		t.Fatal(err)
	}
	var counts ledger.Counts
	if err := json.Unmarshal(out.Bytes(), &counts); err != nil || counts.Done != users || counts.Total != users {
		t.Errorf("%s %v", out.Bytes(), err)
	}
	o.checkOnce(t, people)
}
