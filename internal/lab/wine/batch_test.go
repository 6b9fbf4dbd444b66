package wine

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab"
)

type counts struct {
	Counts struct{ Total, Done, Failed, Waiting int }
}

// TestBatch: 60 users, with a second process that is kept out of the ledger meanwhile, a
// kill in the middle, and the same command again.
func TestBatch(t *testing.T) {
	const people, before = 60, 10
	d := newDesk(t, lab.Options{People: people, Readers: -1})
	batch := []string{"batch", `lab\people`, "--store", "Büro.db", "--concurrency", "4", "--json"}
	d.faults("latency:100ms") // so that many are left when the tenth is through
	first := d.command(batch...)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	killed := make(chan error, 1)
	go func() { killed <- first.Wait() }()
	for d.enrolled(people) < before {
		select {
		case err := <-killed:
			t.Fatalf("the batch ended by itself: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	d.faults("latency:1h") // from now on it waits for Gmail, and goes on holding the ledger
	d.row("a second process", func(d *desk) {
		d.says(d.run(1, batch...).err, "is in use by process", "hint: ")
	})
	d.row("access of the ledger while it is written", func(d *desk) {
		for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
			if _, err := os.Stat(d.path("Büro.db" + suffix)); err != nil {
				d.t.Error(err)
			}
		}
		d.private("lab")
	})
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-killed; err == nil {
		t.Error("the batch came to its end all the same")
	}
	if done := d.enrolled(people); done < before || done == people {
		t.Errorf("%d of %d users were registered when it was killed", done, people)
	}
	d.faults("latency:0s")
	d.row("again", func(d *desk) {
		if got := decoded[counts](d.t, lastLine(d.run(0, batch...).out)); got.Counts.Done != people || got.Counts.Failed != 0 {
			d.t.Errorf("%+v", got)
		}
		for i := range people {
			email := fmt.Sprintf("user%d@lab.example", i+1)
			if pairs, identities := len(d.lab.Gmail().KeyPairs(email)), len(d.lab.Gmail().Identities(email)); pairs != 1 || identities != 1 {
				d.t.Errorf("%s has %d key pairs and %d identities", email, pairs, identities)
			}
		}
	})
	d.row("report", func(d *desk) {
		if got := decoded[counts](d.t, d.run(0, "report", "--store", "Büro.db", "--json").out); got.Counts.Total != people {
			d.t.Errorf("%+v", got)
		}
		d.run(0, "report", "--store", "Büro.db", "-o", "Übersicht.html")
		d.says(d.read("Übersicht.html"), "user60@lab.example")
	})
	d.row("status", func(d *desk) {
		d.says(d.run(0, "status", "user7@lab.example", "--store", "Büro.db").out, "user7@lab.example")
	})
}

func (d *desk) faults(specs ...string) {
	d.t.Helper()
	if err := d.lab.SetFaults(specs...); err != nil {
		d.t.Fatal(err)
	}
}

// enrolled counts the first so many users that have an identity.
func (d *desk) enrolled(people int) (done int) {
	for i := range people {
		done += len(d.lab.Gmail().Identities(fmt.Sprintf("user%d@lab.example", i+1)))
	}
	return done
}
