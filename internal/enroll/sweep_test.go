package enroll_test

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
	"github.com/cse-piv/cse-piv/internal/lab/sweep"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
	"github.com/cse-piv/cse-piv/internal/piv"
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

// TestSweeps interrupts enrollments at every position there is, or at a sample
// of them, and runs the same again.
func TestSweeps(t *testing.T) {
	var table bytes.Buffer
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "firmware\tkey\tkeys\tsweep\tpositions\ttried\twent through\tresumed\twhole")
	keys := ring(8)
	quickRSA.Store(&keys)
	t.Cleanup(func() { quickRSA.Store(nil) })
	for i, on := range swept {
		work := sweepOf(on.attempt, sampled)
		if i == 0 {
			work.Sampled = 0
		}
		t.Run(on.firmware, func(t *testing.T) {
			for _, count := range work.Sweep(t) {
				fmt.Fprintf(columns, "%s\t%s\t%d\t%s\t%d\t%d\t%d\t%d\t%d\n", on.firmware, on.algorithm, on.keys(), count.Fault,
					count.Of, count.Tried, count.Through, count.Resumed, count.Whole)
			}
		})
	}
	if err := columns.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", table.String())
}

// sweepOf interrupts what is done at a desk.
func sweepOf(prepare func(t *testing.T) sweep.Attempt, sampled int) sweep.Work {
	return sweep.Work{Lab: practice, Prepare: prepare, IsCardTrouble: isCardTrouble, Sampled: sampled}
}

// attempt is work at the desk that is interrupted. Where it ends for that, the same is done again, as a
// person does who put the card back.
func (d *desk) attempt(work func() error, check func()) sweep.Attempt {
	return sweep.Attempt{
		Run: func(fault *sweep.Fault) error {
			if fault != nil && fault.Card {
				d.deps.CardTimeout = time.Millisecond // a card that was pulled does not come back by itself
			}
			return work()
		},
		Again: func() error {
			d.insert()
			d.deps = d.newFixture()
			return work()
		},
		Between: func() { checkLeftLocked(d.t) },
		Check:   check,
	}
}

// attempt enrolls a new card of this kind.
func (c sweptCard) attempt(t *testing.T) sweep.Attempt {
	d := c.desk(t)
	var receipt *enroll.Receipt
	return d.attempt(func() (err error) {
		receipt, err = d.run()
		return err
	}, func() { d.checkWhole(receipt) })
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

// checkLeftLocked looks whether another program could use what this one proved.
func checkLeftLocked(t testing.TB) {
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
