package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cse-piv/cse-piv/internal/terminal"
)

// TestWizardStopped stops while the card makes a key, first in words only, and
// goes on with the same card in another run of the program. The card is out
// meanwhile, so that the enrollment stays where it is.
func TestWizardStopped(t *testing.T) {
	home, err := os.MkdirTemp("", "wizard")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	card := []string{"--card-state", filepath.Join(t.TempDir(), "card")}
	w := startDemo(t, terminal.Options{}, home, card...)
	w.toUser()
	w.toPIN("ada@lab.example")
	serial := w.serial(0) // which a card that makes a key would not tell
	w.newPIN()
	w.at("Work", "The card is making the key")
	w.practise("pull the card out")
	w.at("Work", "The card is out: put card "+serial+" back in")
	w.press("C-c")
	w.see("An enrollment is running.", "enter    let it go on")
	w.press("Enter")
	w.at("Work", "The card is out")
	w.press("C-c")
	w.see("An enrollment is running.")
	w.press("C-c")
	w.exits(130)
	w.see("interrupted")

	w = startDemo(t, terminal.Options{}, home, card...)
	w.at("Start", "ada@lab.example", "begun, not finished", "card "+serial)
	w.toUser()
	w.toCard("ada@lab.example", "serial "+serial, "enter go on")
	w.press("Enter")
	// A card that was pulled while it made a key has none.
	w.at("Plan", "generate a new one on the card")
	w.begin()
	w.at("PIN", "Type the PIN", "3 tries left")
	w.enter(canary)
	w.register("ada@lab.example")
	w.registered("ada@lab.example")
	w.press("q")
	w.exits(0)
}

// TestWizardStoppedToPlan stops with esc, and begins again from the plan.
func TestWizardStoppedToPlan(t *testing.T) {
	w := startWizard(t, "--algorithm", "eccp256")
	w.toUser()
	w.toPIN("ada@lab.example")
	w.press("Escape")
	w.see("An enrollment is running.")
	w.press("Escape")
	w.begin()
	w.newPIN()
	w.at("Review")
	w.press("Escape")
	w.see("An enrollment is running.")
	w.press("Escape")
	w.at("Plan", "goes on with it")
	w.begin()
	w.at("PIN", "Type the PIN")
	w.enter(canary)
	w.register("ada@lab.example")
	w.registered("ada@lab.example")
	w.press("q")
	w.exits(0)
}
