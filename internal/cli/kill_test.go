package cli_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var killSeed = flag.Uint64("kill-seed", rand.Uint64(), "seed of the moments at which enrollments are killed")

// TestKilled kills enrollments (SIGKILL) on every firmware that can be enrolled,
// on the newest at more moments, and runs the same command to its end.
func TestKilled(t *testing.T) {
	t.Logf("-kill-seed %d", *killSeed)
	random := rand.New(rand.NewPCG(*killSeed, 0))
	running := longPowerLab(t)
	serial := uint32(50_000_000)
	for _, on := range []struct {
		firmware string
		kills    int
	}{{"5.7.4", 12}, {"5.4.3", 3}, {"5.2.7", 3}, {"5.1.2", 3}, {"4.3.7", 3}} {
		serial++
		before := running.Stats().APDUs
		whole := newDesk(t, running, on.firmware, serial)
		whole.finish("nothing")
		commands := int(running.Stats().APDUs - before)
		killed := 0
		for i := range on.kills {
			serial++
			// One at random in each part of the enrollment.
			after := (i*commands + random.IntN(commands)) / on.kills
			k := newDesk(t, running, on.firmware, serial)
			if k.killAfter(int64(after)) {
				killed++
			}
			k.finish(fmt.Sprintf("a kill at command %d of %d", after, commands))
		}
		t.Logf("firmware %s: %d commands, %d of %d killed before their end, all whole: %v", on.firmware, commands, killed, on.kills, !t.Failed())
	}
}

// killAfter runs the enrollment and kills it after so many commands to the card.
// It reports false when it was over before.
func (d *desk) killAfter(commands int64) bool {
	d.t.Helper()
	first := d.command(d.enroll...)
	before := d.lab.Stats().APDUs
	if err := first.Start(); err != nil {
		d.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- first.Wait() }()
	for d.lab.Stats().APDUs-before < commands {
		select {
		case <-ended:
			return false
		case <-time.After(100 * time.Microsecond):
		}
	}
	_ = first.Process.Kill()
	return <-ended != nil
}

// finish runs the command to its end and looks at card and domain.
func (d *desk) finish(after string) {
	d.t.Helper()
	if out, err := d.command(d.enroll...).CombinedOutput(); err != nil {
		d.t.Fatalf("%s, after %s: %v\n%s", d.card.Firmware(), after, err, out)
	}
	snapshot := d.card.Snapshot()
	if snapshot.PIN.Tries != snapshot.PIN.Max || snapshot.PIN.Default || snapshot.PUK.Default || snapshot.ManagementKey.Default {
		d.t.Errorf("%s, after %s: %+v", d.card.Firmware(), after, snapshot.PIN)
	}
	if pairs, identities := len(d.lab.Gmail().KeyPairs(d.user)), len(d.lab.Gmail().Identities(d.user)); pairs != 1 || identities != 1 {
		d.t.Errorf("%s, after %s: %d key pairs, %d identities", d.card.Firmware(), after, pairs, identities)
	}
	if unlocked, err := d.lab.Unlocked(0); unlocked || err != nil {
		d.t.Errorf("%s, after %s: the card is left unlocked: %v, %v", d.card.Firmware(), after, unlocked, err)
	}
}
