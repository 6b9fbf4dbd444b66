package cli_test

import (
	"regexp"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/terminal"
)

// TestAddressIsTypedBeforeAKeyPairIsDisabled: who types something else has declined,
// which is noted.
func TestAddressIsTypedBeforeAKeyPairIsDisabled(t *testing.T) {
	d := newLabDesk(t, lab.Options{Readers: 1, Seed: 7})
	const ada = "ada@lab.example"
	d.run("enroll", ada, "--yes", "--escrow-plain", "--pin-file", d.pin)
	id := regexp.MustCompile(`(?m)^(\S{55}) `).FindStringSubmatch(d.run("keypair", "list", ada))
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
		w := startProgram(t, terminal.Options{Width: 100, Env: d.env}, d.dir, "keypair", "disable", ada, id[1])
		w.see("keypair disable: 1 change of 1 user", "lost: "+ada+" cannot read mail", "type "+ada+" to go on")
		w.enter(test.typed)
		w.see(test.want)
		if code, err := w.Exit(t.Context()); err != nil || code != test.code {
			t.Errorf("%s: exit code %d, %v", test.typed, code, err)
		}
	}
	status := d.run("status", ada)
	for _, want := range []string{`keypair disable \S+: refused, by`, `keypair disable \S+: done, by`, `key pair +\S+, disabled`} {
		if !regexp.MustCompile(want).MatchString(status) {
			t.Errorf("status does not say %s:\n%s", want, status)
		}
	}
}
