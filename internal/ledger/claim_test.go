package ledger_test

import (
	"fmt"
	"testing"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// TestFillingTheQueueAgain: a user who is put into the ledger several times, and asked
// for by several workers, is claimed once; new ones come before those who were done by
// an earlier run.
func TestFillingTheQueueAgain(t *testing.T) {
	const users = 1000
	onEach(t, func(t *testing.T, url string) {
		l := open(t, url)
		var people []ledger.Entry
		for i := range users {
			people = append(people, asked(fmt.Sprintf("user%d@lab.example", i), i, fmt.Sprint(i)))
		}
		first := begin(t, l)
		put(t, l, first, people[:10]...)
		for _, entry := range people[:10] {
			register(t, l, entry.Email)
		}
		run := begin(t, l)
		for _, some := range [][]ledger.Entry{people[:600], people[:600], people[300:800], people[800:], people[500:]} {
			put(t, l, run, some...)
		}
		workers := []string{"one", "other"}
		if !l.Shared() {
			workers = workers[:1]
		}
		for _, worker := range workers {
			if err := l.Heartbeat(t.Context(), worker, worker); err != nil {
				t.Fatal(err)
			}
		}
		active, claimed := map[string][]string{}, map[string]bool{}
		for none := 0; none < len(workers); {
			worker := workers[len(claimed)/100%len(workers)]
			tasks, err := l.Claim(t.Context(), run, worker, active[worker], 100)
			if err != nil {
				t.Fatal(err)
			}
			if len(tasks) == 0 {
				none++
			}
			for _, task := range tasks {
				if claimed[task.Email] || task.Earlier && len(claimed) < users-100 {
					t.Errorf("%s is claimed as number %d", task.Email, len(claimed))
				}
				claimed[task.Email] = true
				active[worker] = append(active[worker], task.Email)
			}
		}
		if len(claimed) != users {
			t.Errorf("%d of %d users were claimed", len(claimed), users)
		}
	})
}
