package cli_test

import "testing"

// TestTutorialInTheWizard presses the keys that docs/tutorial/your-first-enrollment.md
// says, and sees what it says.
func TestTutorialInTheWizard(t *testing.T) {
	w := startWizard(t)
	w.checked()
	w.press("Enter")
	w.at("User", "Who is to be enrolled?")
	w.enter("ada")
	w.at("User", "Gmail    has", "enter go on")
	w.press("Enter")
	w.at("Card", "enter go on")
	w.press("Enter")
	w.begin()
	w.newPIN()
	w.at("Work", "The card is making the key")
	w.practise("pull the card out")
	serial := w.serial(0)
	w.at("Work", "The card is out: put card "+serial+" back in")
	w.practise("put card " + serial + " in")
	w.register("ada@lab.example")
	w.press("q")
	w.exits(0)
}
