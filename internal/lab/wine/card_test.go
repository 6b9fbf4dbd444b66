package wine

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
)

// TestCards: what the program says of cards, of a smart card service that is not there or
// does not work, and that a library beside it is not loaded.
func TestCards(t *testing.T) {
	d := newDesk(t, lab.Options{Serial: 4711})
	d.row("version", func(d *desk) { d.says(d.run(0, "--version").out, "cse-piv ") })
	d.row("card list", func(d *desk) { d.says(d.run(0, "card", "list").out, "4711", "5.7.4", "YubiKey") })
	d.row("doctor", func(d *desk) {
		type checks struct {
			Checks []struct{ Name, State, Found string }
		}
		for _, check := range decoded[checks](d.t, d.run(0, "doctor", "ada@lab.example", "--json").out).Checks {
			if check.State != "ok" && slices.Contains([]string{"card service", "card readers", "token", "Gmail API", "clock"}, check.Name) {
				d.t.Errorf("%s: %s: %s", check.Name, check.State, check.Found)
			}
		}
	})
	d.row("no card", func(d *desk) {
		if err := d.lab.Pull(0); err != nil {
			d.t.Fatal(err)
		}
		d.says(d.run(5, "card", "show").err, "no card in the reader", "hint: ")
		if err := d.lab.Insert(0, nil); err != nil {
			d.t.Fatal(err)
		}
	})
	for _, test := range []struct{ name, setting, says, hint string }{
		{"service not running", "LAB_PCSC=", "the smart card service is not running", "sc start SCardSvr"},
		{"service stopped", "LAB_PCSC_CODE=0x8010001E", "the smart card service is not running", "sc start SCardSvr"},
		{"service does not work", "LAB_PCSC_CODE=0x80100001", "the smart card service does not work", "sc stop SCardSvr"},
		{"service out of reach", "LAB_PCSC_CODE=1722", "the smart card service does not work", "sc stop SCardSvr"},
		{"service refuses", "LAB_PCSC_CODE=5", "the smart card service refuses this user", "at the machine itself"},
	} {
		d.row(test.name, func(d *desk) {
			command := d.command("card", "list")
			command.Env = slices.DeleteFunc(command.Env, func(s string) bool { return strings.HasPrefix(s, "LAB_PCSC=") })
			command.Env = append(command.Env, test.setting)
			said := d.finish(command)
			if said.code != 5 || strings.Contains(said.err, "reset") {
				d.t.Errorf("ended with %d: %s", said.code, said.err)
			}
			d.says(said.err, test.says, test.hint)
		})
	}
	d.row("a library beside the program", func(d *desk) {
		program := d.program("main.test", "test", "-c", "../../../cmd/cse-piv")
		d.passes(program, d.folder, "TestNoLibraryBesideTheProgram")
	})
	d.row("demo", func(d *desk) {
		d.says(d.run(1, "demo", "--yes").err, "no virtual card can be put in on this system", "cse-piv lab --dir practice --people 60")
	})
}

// passes runs tests of a package that were built for Windows, in a folder of this system,
// and fails where one fails or none runs.
func (d *desk) passes(program, folder, tests string, arguments ...string) {
	d.t.Helper()
	command := exec.CommandContext(d.t.Context(), d.machine.wine, append([]string{program, "-test.v", "-test.timeout=10m", "-test.run", "^(" + tests + ")$"}, arguments...)...)
	command.Env, command.Dir = d.environment(), folder
	said := d.finish(command)
	if said.code != 0 || !strings.Contains(said.out, "--- PASS: ") {
		d.t.Errorf("ended with %d\n%s%s", said.code, said.out, said.err)
	}
}
