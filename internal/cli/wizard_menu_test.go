package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// choose opens what else can be done, and takes the choice that begins like that.
func (w *wizard) choose(choices ...string) {
	w.t.Helper()
	w.see("m more")
	w.press("m")
	for _, choice := range choices {
		screen := w.see(choice, "enter choose")
		lines := strings.Split(screen, "\n")
		for at := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, " ▸ ") }); !strings.Contains(lines[at], choice); at++ {
			if begins(lines[at+1]) {
				w.press("Down")
			}
		}
		w.see("▸ " + choice)
		w.press("Enter")
	}
}

// begins reports whether a line of the menu begins a choice.
func begins(line string) bool {
	return strings.HasPrefix(line, "   ") && !strings.HasPrefix(line, "    ")
}

// has checks how many key pairs and identities Gmail has of somebody.
func (w *wizard) has(email string, pairs, identities int) {
	w.t.Helper()
	var user struct {
		KeyPairs   []json.RawMessage `json:"key_pairs"`
		Identities []json.RawMessage `json:"identities"`
	}
	w.ask("users/"+email, &user)
	if len(user.KeyPairs) != pairs || len(user.Identities) != identities {
		w.t.Errorf("Gmail has %d key pairs and %d identities for %s, want %d and %d", len(user.KeyPairs), len(user.Identities), email, pairs, identities)
	}
}

// TestWizardJourneys: at the desk a forgotten PIN is replaced, with the card pulled in the middle
// and the wrong one put back; another card takes the place of the first one, up to the receipt;
// the card is lost; and a wrong PUK costs a try and no more.
func TestWizardJourneys(t *testing.T) {
	const ada = "ada@lab.example"
	w := startWizard(t, "--algorithm", "eccp256")
	w.toUser()
	w.toPIN(ada)
	w.newPIN()
	w.register(ada)
	first := w.serial(0)
	w.press("Enter")

	// She forgot the PIN. The card is pulled, another one is put in, then hers.
	w.at("User", "Who is to be enrolled?")
	w.toCard(ada, "enter go on")
	w.choose("a new PIN for who forgot it")
	w.at("PIN", "Type a new PIN for card "+first)
	w.practise("pull the card out")
	w.newPIN()
	w.at("Work", "Failed: a new PIN for who forgot it", "the card was removed", "hint  put the card back in and try again")
	w.practise("put a new card in")
	w.press("a")
	w.at("Work", "Failed: a new PIN for who forgot it", "; there is ")
	w.practise("pull the card out")
	w.practise("put card " + first + " in")
	w.press("a")
	w.newPIN()
	w.at("Done", "✓ done: a new PIN for who forgot it", "card "+first+" has the new PIN, and all its tries", "the PUK that was used is replaced")
	w.press("Enter")

	// Another card takes the place of the first one, which is noticed where it is in.
	w.at("User", "Who is to be enrolled?")
	w.enter(ada)
	w.at("User", "Gmail    has a key pair")
	w.choose("another card in the place", "another reason")
	if screen := w.at("Card", "another card takes the place of this one"); strings.Contains(screen, "all the same") {
		t.Errorf("it is offered:\n%s", screen)
	}
	w.practise("pull the card out")
	w.at("Card", "Put the new card in.")
	w.practise("put a new card in")
	w.at("Card", "still the factory one", "enter go on")
	second := w.serial(0)
	w.press("Enter")
	w.at("Plan", "Gmail moves from card "+first+" to card "+second)
	w.begin()
	w.at("Work", "Gmail moves from card "+first+" to card "+second, "Is that meant?")
	w.enter("yes")
	w.newPIN()
	w.register(ada)
	w.see("mail encrypted to key pair")
	w.has(ada, 2, 1)
	w.press("Enter")

	// It is lost: no card is needed. A no changes nothing.
	w.at("User", "Who is to be enrolled?")
	w.practise("pull the card out")
	w.enter(ada)
	w.at("User", "Gmail    has 2 key pairs")
	w.choose("the card is lost, stolen or broken", "lost: nobody knows")
	w.at("Work", "what changes and what stops working for "+ada, ada+" can no longer sign")
	w.answer("no")
	w.at("User", "enter go on")
	w.has(ada, 2, 1)
	w.choose("the card is lost, stolen or broken", "lost: nobody knows")
	w.at("Work", "what changes and what stops working for "+ada)
	w.answer(ada)
	w.at("Done", "✓ done: the card is lost, stolen or broken", ada+" can no longer sign")
	w.has(ada, 2, 0)
	w.press("Enter")
	w.at("User", ada, "card lost ")

	// It is found, and nobody knows the PUK: a wrong one costs a try.
	if err := os.RemoveAll(filepath.Join(w.dir, "escrow")); err != nil {
		t.Fatal(err)
	}
	w.practise("put card " + second + " in")
	w.toCard(ada, "PUK            3 tries left")
	w.choose("a new PIN for who forgot it")
	w.at("PIN", "Type the PUK of card "+second, "This is for the operator.")
	w.enter("87651234")
	w.newPIN()
	w.at("Work", "Failed: a new PIN for who forgot it", "wrong PUK, 2 tries left", "check the PUK")
	w.press("Escape")
	w.at("Card", "PUK            2 tries left")
	w.press("C-c")
	w.exits(6)
}

// answer reads a question to its end, and types what is asked for.
func (w *wizard) answer(text string) {
	w.t.Helper()
	w.press("PageDown", "PageDown") // where it does not fit
	w.see(" to go on, anything else to stop", "enter answer")
	w.enter(text)
}
