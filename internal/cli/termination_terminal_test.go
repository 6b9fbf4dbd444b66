package cli_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/terminal"
)

// TestIdentityChangedWhileAsked: while a person is asked whether the use of a card is to end,
// somebody else changes the user's identity: the command says so and changes nothing.
func TestIdentityChangedWhileAsked(t *testing.T) {
	d := newLabDesk(t, lab.Options{Readers: 1, Seed: 7, Serial: 31415926})
	insert := func(serial uint32) {
		t.Helper()
		_ = d.lab.Pull(0)
		card, err := d.lab.NewCard(lab.CardSpec{Serial: serial})
		if err == nil {
			err = d.lab.Insert(0, card)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	const ada = "ada@lab.example"
	used := regexp.MustCompile(`(?m)^ada@lab.example +(\S{55})`)
	identity := func() string {
		t.Helper()
		found := used.FindStringSubmatch(d.run("identity", "list", ada))
		if found == nil {
			t.Fatal("there is no identity")
		}
		return found[1]
	}
	d.run("enroll", ada, "--yes", "--escrow-plain", "--pin-file", d.pin)
	first := identity()
	insert(27182818)
	d.run("enroll", ada, "--yes", "--escrow-plain", "--pin-file", d.pin, "--replace-card")
	second := identity()
	insert(16180339)
	for _, command := range []string{
		"lost " + ada, "leave " + ada, "undo " + ada,
		"replace " + ada + " --reason stolen --yes --escrow-plain --pin-file " + d.pin,
	} {
		verb, _, _ := strings.Cut(command, " ")
		w := startProgram(t, terminal.Options{Width: 100, Env: d.env}, d.dir, strings.Fields(command)...)
		w.see(verb+": what changes and what stops working for "+ada, "type "+ada+" to go on")
		d.run("identity", "set", ada, "--keypair", first, "--confirm", ada)
		w.enter(ada)
		w.see("somebody else changed the identity meanwhile, so nothing was done")
		if code, err := w.Exit(t.Context()); err != nil || code != 1 {
			t.Errorf("%s: exit code %d, %v", verb, code, err)
		}
		if now := identity(); now != first {
			t.Errorf("%s: the identity uses %s, not what the other set", verb, now)
		}
		if pairs := d.run("keypair", "list", ada); strings.Contains(pairs, "disabled") || strings.Contains(pairs, "16180339") {
			t.Errorf("%s changed key pairs:\n%s", verb, pairs)
		}
		d.run("identity", "set", ada, "--keypair", second, "--confirm", ada)
	}
}
