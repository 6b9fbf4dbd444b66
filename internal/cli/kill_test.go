package cli_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
)

// TestKilled kills an enrollment (SIGKILL) at many moments, then runs the same
// command to its end.
func TestKilled(t *testing.T) {
	program := filepath.Join(t.TempDir(), "cse-piv")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/cse-piv").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	running, err := lab.Start(context.Background(), lab.Options{NoCard: true, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	for serial := uint32(50_000_001); serial <= 50_000_012; serial++ {
		// The n-th card's enrollment is killed about 14 APDUs further on.
		killAfter := int64(serial-50_000_000) * 14
		killAndGoOn(t, running, program, serial, killAfter)
	}
}

func killAndGoOn(t *testing.T, running *lab.Lab, program string, serial uint32, killAfter int64) {
	t.Helper()
	card, err := running.NewCard(lab.CardSpec{Serial: serial})
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
	user := fmt.Sprintf("killed-%d@lab.example", serial)
	enroll := func(ctx context.Context) *exec.Cmd {
		command := exec.CommandContext(ctx, program, "enroll", user, "--yes", "--pin-file", pin,
			"--escrow-plain", "--escrow-dir", filepath.Join(dir, "escrow"), "--evidence", filepath.Join(dir, "evidence"), "--algorithm", "eccp256")
		command.Env = os.Environ()
		for name, value := range running.Env() {
			command.Env = append(command.Env, name+"="+value)
		}
		return command
	}
	first := enroll(t.Context())
	before := running.Stats().APDUs
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- first.Wait() }()
	for waiting := true; waiting; {
		select {
		case <-ended:
			waiting = false // it was over before it could be killed
		default:
			if running.Stats().APDUs-before >= killAfter {
				_ = first.Process.Kill()
				<-ended
				waiting = false
			}
		}
	}
	if out, err := enroll(t.Context()).CombinedOutput(); err != nil {
		t.Fatalf("after a kill at APDU %d: %v\n%s", killAfter, err, out)
	}
	snapshot := card.Snapshot()
	if snapshot.PIN.Tries != snapshot.PIN.Max || snapshot.PIN.Default || snapshot.PUK.Default || snapshot.ManagementKey.Default {
		t.Errorf("after a kill at APDU %d: %+v", killAfter, snapshot.PIN)
	}
	if pairs, identities := len(running.Gmail().KeyPairs(user)), len(running.Gmail().Identities(user)); pairs != 1 || identities != 1 {
		t.Errorf("after a kill at APDU %d: %d key pairs, %d identities", killAfter, pairs, identities)
	}
}
