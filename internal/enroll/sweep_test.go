package enroll_test

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
)

var (
	sweepSeed = flag.Uint64("sweep-seed", rand.Uint64(), "seed of the positions that sweeps take")
	sweepAll  = flag.Bool("sweep-all", false, "sweep over every position on every firmware")
)

// sampled is how many positions of a sweep are tried where not all are.
const sampled = 12

// sweptCard is a card to enroll: a firmware that can be, and a key that it can
// have and Gmail takes, or two.
type sweptCard struct {
	firmware  string
	algorithm piv.Algorithm
	split     bool // a key to sign and one to decrypt
	protect   bool // have the PIN lead to the management key
}

// swept is every firmware that can be enrolled. The first is swept over as a
// whole.
var swept = []sweptCard{
	{firmware: "5.7.4", algorithm: piv.ECCP256},
	{firmware: "5.4.3", algorithm: piv.RSA2048, split: true, protect: true},
	{firmware: "5.2.7", algorithm: piv.ECCP256},
	{firmware: "5.1.2", algorithm: piv.ECCP384, split: true},
	{firmware: "4.3.7", algorithm: piv.RSA2048, protect: true},
}

// sweep puts one fault at each position of an enrollment in turn.
type sweep struct {
	name  string
	fault string // with the position
	card  bool   // positions are commands to the card, else calls of the API
	// outage is how many calls after the fault get 503: more than an enrollment
	// tries.
	outage int
}

var sweeps = []sweep{
	{name: "card pulled before a command", fault: "card:pull@%d", card: true},
	{name: "card pulled after a command", fault: "card:pull-after@%d", card: true},
	{name: "loose contact at a command", fault: "card:reset@%d", card: true},
	{name: "answer lost", fault: "api:lost@%d"},
	{name: "connection reset", fault: "api:reset@%d"},
	{name: "503", fault: "api:503@%d"},
	{name: "answer lost, then an outage", fault: "api:lost@%d", outage: 20},
}

// faults are the specifications for a position.
func (s sweep) faults(n int) []string {
	specs := []string{fmt.Sprintf(s.fault, n)}
	for i := range s.outage {
		specs = append(specs, fmt.Sprintf("api:503@%d", n+1+i))
	}
	return specs
}

// tally counts what became of the positions of a sweep.
type tally struct {
	of, tried int
	through   int // the enrollment got over the fault by itself
	resumed   int // it ended, and the same again went on
	whole     int // in the end nothing was lost, doubled or burnt
}

// TestSweeps interrupts enrollments at every position there is, or at a sample
// of them, and runs the same again.
func TestSweeps(t *testing.T) {
	t.Logf("-sweep-seed %d", *sweepSeed)
	random := rand.New(rand.NewPCG(*sweepSeed, 0))
	var table bytes.Buffer
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "firmware\tkey\tkeys\tsweep\tpositions\ttried\twent through\tresumed\twhole")
	keys := ring(8)
	quickRSA.Store(&keys)
	t.Cleanup(func() { quickRSA.Store(nil) })
	for i, on := range swept {
		commands, calls := on.length(t)
		if commands == 0 {
			continue // left out by -run, or it failed
		}
		for _, sweep := range sweeps {
			positions := calls
			if sweep.card {
				positions = commands
			}
			count := tally{of: positions}
			for _, n := range choose(random, positions, *sweepAll || i == 0) {
				t.Run(fmt.Sprintf("%s/%s@%d", on.firmware, sweep.name, n), func(t *testing.T) {
					on.interrupt(t, sweep, n, &count)
				})
			}
			fmt.Fprintf(columns, "%s\t%s\t%d\t%s\t%d\t%d\t%d\t%d\t%d\n", on.firmware, on.algorithm, on.keys(), sweep.name,
				count.of, count.tried, count.through, count.resumed, count.whole)
		}
	}
	if err := columns.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", table.String())
}

func (c sweptCard) keys() int {
	if c.split {
		return 2
	}
	return 1
}

// desk has a new card of this kind. What firmware without metadata cannot tell,
// the request says: that the card is new, and that its slot may be overwritten.
func (c sweptCard) desk(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, c.firmware)
	d.request.Keys[0].Algorithm, d.request.ProtectManagementKey = c.algorithm, c.protect
	if c.split {
		d.split()
	}
	if !yubikey.Metadata.Of(d.card.Firmware()) {
		d.request.NewCard, d.request.Overwrite, d.request.Confirm = true, true, fmt.Sprint(d.serial)
	}
	return d
}

// length counts an enrollment that nothing interrupts.
func (c sweptCard) length(t *testing.T) (commands, calls int) {
	t.Helper()
	t.Run(c.firmware, func(t *testing.T) {
		d := c.desk(t)
		setFaults(t, "off")
		before := practice.Stats()
		d.checkWhole(d.mustRun())
		after := practice.Stats()
		commands, calls = int(after.APDUs-before.APDUs), int(after.APICalls-before.APICalls)
	})
	return commands, calls
}

// choose returns all positions from 1 to last, or a sample of them, in order.
func choose(random *rand.Rand, last int, all bool) []int {
	positions := random.Perm(last)
	if !all {
		positions = positions[:min(sampled, last)]
	}
	slices.Sort(positions)
	for i := range positions {
		positions[i]++
	}
	return positions
}

// interrupt enrolls with a fault at a position. An enrollment that ends for it is
// run again, as a person does who put the card back.
func (c sweptCard) interrupt(t *testing.T, sweep sweep, n int, count *tally) {
	count.tried++
	d := c.desk(t)
	if sweep.card {
		d.deps.CardTimeout = time.Millisecond // a card that was pulled does not come back by itself
	}
	setFaults(t, append([]string{"off"}, sweep.faults(n)...)...)
	receipt, err := d.run()
	setFaults(t, "off")
	checkLeftLocked(t)
	switch {
	case err == nil:
		count.through++
	case sweep.card && !isCardTrouble(err):
		t.Fatalf("the card's fault gave: %v", err)
	default:
		count.resumed++
		d.insert()
		d.deps = d.newFixture()
		receipt = d.mustRun()
	}
	checkLeftLocked(t)
	if d.checkWhole(receipt); !t.Failed() {
		count.whole++
	}
}

// checkLeftLocked looks whether another program could use what this one proved.
func checkLeftLocked(t *testing.T) {
	t.Helper()
	if unlocked, err := practice.Unlocked(0); unlocked || err != nil && !errors.Is(err, pcscd.ErrEmpty) {
		t.Errorf("the card was left unlocked: %v, %v", unlocked, err)
	}
}

// ring returns a maker of RSA keys of 2048 bits that hands out the same few in
// turn: making them is what enrollments would spend most of their time on. No
// card asks for as many.
func ring(size int) func(bits int) (*rsa.PrivateKey, error) {
	var mu sync.Mutex
	var made []*rsa.PrivateKey
	next := 0
	return func(bits int) (*rsa.PrivateKey, error) {
		mu.Lock()
		defer mu.Unlock()
		if bits != 2048 {
			return rsa.GenerateKey(nil, bits)
		}
		if len(made) < size {
			key, err := rsa.GenerateKey(nil, bits)
			if err != nil {
				return nil, err
			}
			made = append(made, key)
		}
		next++
		return made[(next-1)%len(made)], nil
	}
}
