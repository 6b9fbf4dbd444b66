package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/terminal"
)

// TestIdentityChangedWhileAsked: while a person is asked whether the use of a card is to end,
// somebody else changes the user's identity: the command says so and changes nothing.
func TestIdentityChangedWhileAsked(t *testing.T) {
	dir := demoDir(t)
	running, err := lab.Start(t.Context(), lab.Options{Dir: filepath.Join(dir, "lab"), Readers: 1, Seed: 7, Serial: 31415926})
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
	insert := func(serial uint32) {
		t.Helper()
		_ = running.Pull(0)
		card, err := running.NewCard(lab.CardSpec{Serial: serial})
		if err == nil {
			err = running.Insert(0, card)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	const ada = "ada@lab.example"
	used := regexp.MustCompile(`(?m)^ada@lab.example +(\S{55})`)
	identity := func() string {
		t.Helper()
		found := used.FindStringSubmatch(run("identity", "list", ada))
		if found == nil {
			t.Fatal("there is no identity")
		}
		return found[1]
	}
	run("enroll", ada, "--yes", "--escrow-plain", "--pin-file", pin)
	first := identity()
	insert(27182818)
	run("enroll", ada, "--yes", "--escrow-plain", "--pin-file", pin, "--replace-card")
	second := identity()
	insert(16180339)
	for _, command := range []string{
		"lost " + ada, "leave " + ada, "undo " + ada,
		"replace " + ada + " --reason stolen --yes --escrow-plain --pin-file " + pin,
	} {
		verb, _, _ := strings.Cut(command, " ")
		w := startProgram(t, terminal.Options{Width: 100, Env: env}, dir, strings.Fields(command)...)
		w.see(verb+": 1 user", "type "+ada+" to go on")
		run("identity", "set", ada, "--keypair", first, "--confirm", ada)
		w.enter(ada)
		w.see("somebody else changed the identity meanwhile, so nothing was done")
		if code, err := w.Exit(t.Context()); err != nil || code != 1 {
			t.Errorf("%s: exit code %d, %v", verb, code, err)
		}
		if now := identity(); now != first {
			t.Errorf("%s: the identity uses %s, not what the other set", verb, now)
		}
		if pairs := run("keypair", "list", ada); strings.Contains(pairs, "disabled") || strings.Contains(pairs, "16180339") {
			t.Errorf("%s changed key pairs:\n%s", verb, pairs)
		}
		run("identity", "set", ada, "--keypair", second, "--confirm", ada)
	}
}
