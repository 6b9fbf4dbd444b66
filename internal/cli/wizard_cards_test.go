package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestWizardCards: two readers with a card each, one of them, one that is no
// YubiKey, and one that is another person's.
func TestWizardCards(t *testing.T) {
	roster := filepath.Join(t.TempDir(), "roster.csv")
	if err := os.WriteFile(roster, []byte("ada@lab.example\ngrace@lab.example,11111111\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := startWizard(t, "--readers", "2", "--roster", roster, "--algorithm", "eccp256")
	w.toUser()
	w.toCard("ada@lab.example", "Several cards are there. Which one is it?")
	first, second := w.serial(0), w.serial(1)
	w.at("Card", "▸ "+first)
	w.press("Down")
	w.at("Card", "▸ "+second)
	w.press("Enter")
	w.at("Card", "serial "+second, "enter go on")

	// A chosen card that goes is not chosen any more; what is left is shown.
	w.practise("pull the card out (reader 2)")
	w.at("Card", "serial "+first, "enter go on")
	w.practise("pull the card out (reader 1)")
	w.at("Card", "Put the card in.")
	w.practise("put a card in that is no YubiKey (reader 1)")
	w.at("Card", "Put the card in.", "is not a YubiKey with PIV", "hint:")
	w.practise("put card " + second + " in (reader 2)")
	w.at("Card", "serial "+second, "enter go on")

	w.press("Escape")
	w.at("User", "Who is to be enrolled?")
	w.press("C-u")
	w.toCard("grace@lab.example", "card 11111111 is meant for this person, and this is "+second, "o use this card all the same")
	w.press("Enter") // which means nothing here
	w.press("o")
	w.at("Card", "enter go on")
	w.press("Enter")
	w.begin()
	w.newPIN()
	w.register("grace@lab.example")
	w.see("serial " + second)
	w.registered("grace@lab.example")
	w.press("q")
	w.exits(0)
}

// TestWizardMovesToAnotherCard: who is enrolled with a card is asked before Gmail moves
// to another, and a no changes nothing.
func TestWizardMovesToAnotherCard(t *testing.T) {
	w := startWizard(t, "--readers", "2", "--algorithm", "eccp256")
	w.toUser()
	w.toCard("ada@lab.example", "Several cards are there.")
	first, second := w.serial(0), w.serial(1)
	w.press("Enter")
	w.at("Card", "serial "+first, "enter go on")
	w.press("Enter")
	w.begin()
	w.newPIN()
	w.register("ada@lab.example")
	w.press("Enter")
	w.at("User", "Who is to be enrolled?")
	w.toCard("ada@lab.example", "Several cards are there.")
	w.press("Down", "Enter")
	w.at("Card", "serial "+second, "enter go on")
	w.press("Enter")
	w.at("Plan", "Gmail moves from card "+first+" to card "+second)
	w.begin()
	question := "Gmail moves from card " + first + " to card " + second + ": from then on ada@lab.example"
	w.at("Work", question, "Is that meant?")
	w.enter("no")
	w.at("Plan", "enter begin")
	w.registered("ada@lab.example")
	w.press("Enter")
	w.at("Work", question)
	w.enter("yes")
	w.newPIN()
	w.register("ada@lab.example")
	var user struct {
		KeyPairs   []json.RawMessage `json:"key_pairs"`
		Identities []json.RawMessage `json:"identities"`
	}
	w.ask("users/ada@lab.example", &user)
	if len(user.KeyPairs) != 2 || len(user.Identities) != 1 {
		t.Errorf("Gmail has %d key pairs and %d identities, want 2 and 1", len(user.KeyPairs), len(user.Identities))
	}
	w.press("q")
	w.exits(0)
}
