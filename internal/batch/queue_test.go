package batch

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/ledger/pgtest"
)

// TestFillingTheQueueAgain: a user who has a job gets no second one, and the
// others get theirs all the same.
func TestFillingTheQueueAgain(t *testing.T) {
	test := func(t *testing.T, url string) {
		l, err := ledger.Open(t.Context(), url, ledger.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		q, err := newQueue(l, "", 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		var turns []ledger.Turn
		for i := range 2000 {
			turns = append(turns, ledger.Turn{Email: fmt.Sprintf("user%d@lab.example", i), Earlier: i%2 == 0})
		}
		for _, some := range [][]ledger.Turn{turns[:1000], turns[:1000], turns[500:1500], turns[1500:], turns[1000:]} {
			if err := q.insert(t.Context(), some); err != nil {
				t.Fatal(err)
			}
		}
		jobs := 0
		if l.Shared() {
			err = l.Pool().QueryRow(t.Context(), `SELECT count(*) FROM river_job`).Scan(&jobs)
		} else {
			err = l.Writer().QueryRowContext(t.Context(), `SELECT count(*) FROM river_job`).Scan(&jobs)
		}
		if err != nil || jobs != len(turns) {
			t.Errorf("%d jobs for %d users, %v", jobs, len(turns), err)
		}
	}
	t.Run("file", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "ledger.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, pgtest.Start(t).NewDatabase(t)) })
}
