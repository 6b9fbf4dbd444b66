package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
)

// labDesk is a lab of one reader, and the program run beside it.
type labDesk struct {
	t        *testing.T
	lab      *lab.Lab
	dir, pin string // pin is the file of a new PIN
	env      []string
}

func newLabDesk(t *testing.T, options lab.Options) *labDesk {
	t.Helper()
	dir := demoDir(t)
	options.Dir = filepath.Join(dir, "lab")
	running, err := lab.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close() })
	d := &labDesk{t: t, lab: running, dir: dir, pin: filepath.Join(dir, "pin"), env: environment(dir)}
	for name, value := range running.Env() {
		d.env = append(d.env, name+"="+value)
	}
	if err := os.WriteFile(d.pin, []byte("271828\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

// run runs the program, which has to succeed, and returns all that it wrote.
func (d *labDesk) run(args ...string) string {
	d.t.Helper()
	command := exec.CommandContext(d.t.Context(), "cse-piv", args...)
	command.Env, command.Dir = d.env, d.dir
	out, err := command.CombinedOutput()
	if err != nil {
		d.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}
