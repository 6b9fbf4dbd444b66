package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/terminal"
)

// TestAddressIsTypedBeforeAKeyPairIsDisabled: who types something else has declined,
// which is noted.
func TestAddressIsTypedBeforeAKeyPairIsDisabled(t *testing.T) {
	dir := demoDir(t)
	running, err := lab.Start(t.Context(), lab.Options{Dir: filepath.Join(dir, "lab"), Readers: 1, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close() })
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=C.UTF-8"}
	for name, value := range running.Env() {
		env = append(env, name+"="+value)
	}
	pin := filepath.Join(dir, "pin")
	if err := os.WriteFile(pin, []byte("271828\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "cse-piv", args...)
		command.Env, command.Dir = env, dir
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	const ada = "ada@lab.example"
	run("enroll", ada, "--yes", "--escrow-plain", "--pin-file", pin)
	id := regexp.MustCompile(`(?m)^(\S{55}) `).FindStringSubmatch(run("keypair", "list", ada))
	if id == nil {
		t.Fatal("no key pair")
	}
	for _, test := range []struct {
		typed string
		code  int
		want  string
	}{
		{"y", 1, "declined"}, {ada, 0, "done"},
	} {
		w := startProgram(t, terminal.Options{Width: 100, Env: env}, dir, "keypair", "disable", ada, id[1])
		w.see("keypair disable: 1 change of 1 user", "lost: "+ada+" cannot read mail", "type "+ada+" to go on")
		w.enter(test.typed)
		w.see(test.want)
		if code, err := w.Exit(t.Context()); err != nil || code != test.code {
			t.Errorf("%s: exit code %d, %v", test.typed, code, err)
		}
	}
	status := run("status", ada)
	for _, want := range []string{`keypair disable \S+: refused, by`, `keypair disable \S+: done, by`, `key pair +\S+, disabled`} {
		if !regexp.MustCompile(want).MatchString(status) {
			t.Errorf("status does not say %s:\n%s", want, status)
		}
	}
}
