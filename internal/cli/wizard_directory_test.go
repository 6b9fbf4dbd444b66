package cli_test

import (
	"testing"

	"github.com/cse-piv/cse-piv/internal/lab"
	"github.com/cse-piv/cse-piv/internal/lab/workspace"
	"github.com/cse-piv/cse-piv/internal/terminal"
)

// TestWizardAsksTheDirectory: where a person is chosen the wizard says that the address is an
// alias, and of whom, or the account suspended; the primary address goes on.
func TestWizardAsksTheDirectory(t *testing.T) {
	d := newLabDesk(t, lab.Options{Readers: 1, Seed: 7, Directory: true})
	for email, listing := range map[string]workspace.Listing{"ada@lab.example": {Aliases: []string{"countess@lab.example"}}, "sue@lab.example": {Suspended: true}} {
		if err := d.lab.Gmail().List(email, listing); err != nil {
			t.Fatal(err)
		}
	}
	w := startProgram(t, terminal.Options{Env: d.env}, d.dir, "enroll", "--escrow-plain", "--directory", "admin@lab.example")
	w.see("[Start]", "directory", "enter begin")
	w.press("Enter")
	w.at("User", "Who is to be enrolled?")
	w.enter("countess@lab.example")
	w.at("User", "this is an alias of ada@lab.example", "give the primary address, ada@lab.example")
	w.press("Escape")
	w.at("User", "Who is to be enrolled?")
	w.press("C-u")
	w.enter("sue@lab.example")
	w.at("User", "the account is suspended", "restore the account")
	w.press("Escape")
	w.at("User", "Who is to be enrolled?")
	w.press("C-u")
	w.enter("ada@lab.example")
	w.at("User", "Gmail    has no key pair for them yet", "enter go on")
	w.press("C-c")
	w.exits(0)
}
