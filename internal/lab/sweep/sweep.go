// Package sweep interrupts work on a card and at Gmail at every command to the card and every call of
// the API, one at a time, and has the same work done again: for tests alone.
package sweep

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
)

var (
	seed = flag.Uint64("sweep-seed", rand.Uint64(), "seed of the positions that sweeps take")
	all  = flag.Bool("sweep-all", false, "sweep over every position")
)

// Fault is one that is put at each position of work in turn.
type Fault struct {
	Name string
	spec string // with the position
	Card bool   // positions are commands to the card, else calls of the API
	// outage is how many calls after the fault get 503: more than anything tries.
	outage int
}

// Faults are those of a sweep: a card that is pulled or loses contact, and answers of Gmail that do not
// come.
func Faults() []Fault {
	return []Fault{
		{Name: "card pulled before a command", spec: "card:pull@%d", Card: true},
		{Name: "card pulled after a command", spec: "card:pull-after@%d", Card: true},
		{Name: "loose contact at a command", spec: "card:reset@%d", Card: true},
		{Name: "answer lost", spec: "api:lost@%d"},
		{Name: "connection reset", spec: "api:reset@%d"},
		{Name: "503", spec: "api:503@%d"},
		{Name: "answer lost, then an outage", spec: "api:lost@%d", outage: 20},
	}
}

// at returns the specifications for a position.
func (f Fault) at(n int) []string {
	specs := []string{"off", fmt.Sprintf(f.spec, n)}
	for i := range f.outage {
		specs = append(specs, fmt.Sprintf("api:503@%d", n+1+i))
	}
	return specs
}

// Attempt is work that nothing was done of yet, on a card and for a user of its own.
type Attempt struct {
	// Run does the work. With a fault of the card it does not wait for one that is out.
	Run func(fault *Fault) error
	// Again does the same once more, after the card was put back.
	Again func() error
	// Check looks whether all is as the work has to leave it, and nothing was lost.
	Check func()
	// Between looks at what an interrupted run leaves; nil for nothing.
	Between func()
}

// Work is what is interrupted.
type Work struct {
	Lab     *lab.Lab
	Prepare func(t *testing.T) Attempt
	// IsCardTrouble reports whether an error says that the card went away.
	IsCardTrouble func(error) bool
	// Sampled is how many positions of each fault are tried; 0 tries all.
	Sampled int
}

// Tally counts what became of the positions of one fault.
type Tally struct {
	Fault   string
	Of      int // positions
	Tried   int
	Through int // the work got over the fault by itself
	Resumed int // it ended, and the same again went on
	Whole   int // in the end nothing was lost, doubled or burnt
}

// Sweep does the work once without a fault, and then with each of them at each position, or at a sample.
func (w Work) Sweep(t *testing.T) []Tally {
	t.Helper()
	t.Logf("-sweep-seed %d", *seed)
	random := rand.New(rand.NewPCG(*seed, 0))
	var commands, calls int
	t.Run("whole", func(t *testing.T) {
		attempt := w.Prepare(t)
		w.set(t, "off")
		before := w.Lab.Stats()
		if err := attempt.Run(nil); err != nil {
			t.Fatal(err)
		}
		after := w.Lab.Stats()
		attempt.Check()
		commands, calls = int(after.APDUs-before.APDUs), int(after.APICalls-before.APICalls)
	})
	var tallies []Tally
	for _, fault := range Faults() {
		tally := Tally{Fault: fault.Name, Of: calls}
		if fault.Card {
			tally.Of = commands
		}
		if tally.Of == 0 {
			continue
		}
		for _, n := range w.choose(random, tally.Of) {
			t.Run(fmt.Sprintf("%s@%d", fault.Name, n), func(t *testing.T) { w.interrupt(t, fault, n, &tally) })
		}
		tallies = append(tallies, tally)
	}
	return tallies
}

// interrupt does the work with a fault at a position, and again where it ended for it.
func (w Work) interrupt(t *testing.T, fault Fault, n int, tally *Tally) {
	tally.Tried++
	attempt := w.Prepare(t)
	between := func() {
		if attempt.Between != nil {
			attempt.Between()
		}
	}
	w.set(t, fault.at(n)...)
	err := attempt.Run(&fault)
	w.set(t, "off")
	between()
	switch {
	case err == nil:
		tally.Through++
	case fault.Card && !w.IsCardTrouble(err):
		t.Fatalf("the card's fault gave: %v", err)
	default:
		tally.Resumed++
		if again := attempt.Again(); again != nil {
			t.Fatalf("again, after %v: %v", err, again)
		}
	}
	between()
	if attempt.Check(); !t.Failed() {
		tally.Whole++
	}
}

func (w Work) set(t *testing.T, faults ...string) {
	t.Helper()
	if err := w.Lab.SetFaults(faults...); err != nil {
		t.Fatal(err)
	}
}

// choose returns all positions from 1 to last, or a sample of them, in order.
func (w Work) choose(random *rand.Rand, last int) []int {
	positions := random.Perm(last)
	if !*all && w.Sampled > 0 {
		positions = positions[:min(w.Sampled, last)]
	}
	slices.Sort(positions)
	for i := range positions {
		positions[i]++
	}
	return positions
}
