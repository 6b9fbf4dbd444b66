package cli_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

var killSeed = flag.Uint64("kill-seed", rand.Uint64(), "seed of the moments at which enrollments are killed")

// TestKilled kills enrollments (SIGKILL) on every firmware that can be enrolled,
// on the newest at more moments, and runs the same command to its end.
func TestKilled(t *testing.T) {
	t.Logf("-kill-seed %d", *killSeed)
	random := rand.New(rand.NewPCG(*killSeed, 0))
	program := filepath.Join(t.TempDir(), "cse-piv")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/cse-piv").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	running, err := lab.Start(context.Background(), lab.Options{NoCard: true, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	serial := uint32(50_000_000)
	for _, on := range []struct {
		firmware string
		kills    int
	}{{"5.7.4", 12}, {"5.4.3", 3}, {"5.2.7", 3}, {"5.1.2", 3}, {"4.3.7", 3}} {
		serial++
		before := running.Stats().APDUs
		whole := newKilled(t, running, program, on.firmware, serial)
		whole.finish("nothing")
		commands := int(running.Stats().APDUs - before)
		killed := 0
		for i := range on.kills {
			serial++
			// One at random in each part of the enrollment.
			after := (i*commands + random.IntN(commands)) / on.kills
			k := newKilled(t, running, program, on.firmware, serial)
			if k.killAfter(int64(after)) {
				killed++
			}
			k.finish(fmt.Sprintf("a kill at command %d of %d", after, commands))
		}
		t.Logf("firmware %s: %d commands, %d of %d killed before their end, all whole: %v", on.firmware, commands, killed, on.kills, !t.Failed())
	}
}

// killed is one enrollment with a card of its own.
type killed struct {
	t       *testing.T
	lab     *lab.Lab
	card    *yubikey.Card
	user    string
	program string
	args    []string
}

func newKilled(t *testing.T, running *lab.Lab, program, firmware string, serial uint32) *killed {
	t.Helper()
	card, err := running.NewCard(lab.CardSpec{Serial: serial, Firmware: firmware})
	if err != nil {
		t.Fatal(err)
	}
	_ = running.Pull(0)
	if err := running.Insert(0, card); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pin := filepath.Join(dir, "pin")
	if err := os.WriteFile(pin, []byte("271828"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := &killed{t: t, lab: running, card: card, program: program, user: fmt.Sprintf("killed-%d@lab.example", serial)}
	k.args = []string{
		"enroll", k.user, "--yes", "--pin-file", pin, "--algorithm", "eccp256",
		"--escrow-plain", "--escrow-dir", filepath.Join(dir, "escrow"), "--evidence", filepath.Join(dir, "evidence"),
	}
	if !yubikey.Metadata.Of(card.Firmware()) { // which tells neither factory secrets nor an empty slot
		k.args = append(k.args, "--new-card", "--overwrite", "--confirm", fmt.Sprint(serial))
	}
	return k
}

func (k *killed) command(ctx context.Context) *exec.Cmd {
	command := exec.CommandContext(ctx, k.program, k.args...)
	command.Env = os.Environ()
	for name, value := range k.lab.Env() {
		command.Env = append(command.Env, name+"="+value)
	}
	return command
}

// killAfter runs the enrollment and kills it after so many commands to the card.
// It reports false when it was over before.
func (k *killed) killAfter(commands int64) bool {
	k.t.Helper()
	first := k.command(k.t.Context())
	before := k.lab.Stats().APDUs
	if err := first.Start(); err != nil {
		k.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- first.Wait() }()
	for k.lab.Stats().APDUs-before < commands {
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
func (k *killed) finish(after string) {
	k.t.Helper()
	if out, err := k.command(k.t.Context()).CombinedOutput(); err != nil {
		k.t.Fatalf("%s, after %s: %v\n%s", k.card.Firmware(), after, err, out)
	}
	snapshot := k.card.Snapshot()
	if snapshot.PIN.Tries != snapshot.PIN.Max || snapshot.PIN.Default || snapshot.PUK.Default || snapshot.ManagementKey.Default {
		k.t.Errorf("%s, after %s: %+v", k.card.Firmware(), after, snapshot.PIN)
	}
	if pairs, identities := len(k.lab.Gmail().KeyPairs(k.user)), len(k.lab.Gmail().Identities(k.user)); pairs != 1 || identities != 1 {
		k.t.Errorf("%s, after %s: %d key pairs, %d identities", k.card.Firmware(), after, pairs, identities)
	}
}
