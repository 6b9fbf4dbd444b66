package wine

import (
	"bufio"
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
)

// TestRehearsal: the lab itself runs on Windows, without cards, and a batch in another
// window against it, as it says.
func TestRehearsal(t *testing.T) {
	d := newDesk(t, lab.Options{Readers: -1})
	running := d.command("lab", "--dir", "practice", "--people", "5")
	running.Env = d.machine.environment()
	var said bytes.Buffer
	running.Stderr = &said
	out, err := running.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		// It runs until somebody ends it.
		_ = running.Process.Kill()
		_ = running.Wait()
		d.says(said.String(), "no virtual card can be put in on this system", `call practice\env.cmd`, `cse-piv batch practice\people`)
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); strings.TrimSpace(line) != "lab: ready" {
		t.Fatalf("%q, %v", line, err)
	}
	program := d.windowsPath(d.program("cse-piv", "build", "../../../cmd/cse-piv"))
	batch := exec.Command(d.machine.wine, "cmd", "/c", `call practice\env.cmd && `+program+` batch practice\people --store rehearsal.db --json`)
	batch.Dir, batch.Env = d.folder, d.machine.environment()
	ended := d.finish(batch)
	if got := decoded[counts](t, lastLine(ended.out)); got.Counts.Done != 5 {
		t.Errorf("%+v\n%s", got, ended.err)
	}
}
