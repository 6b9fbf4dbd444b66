package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestWizardParks serves three people of a roster; the CA takes its time with
// the first, who is parked and comes back.
func TestWizardParks(t *testing.T) {
	roster := filepath.Join(t.TempDir(), "roster.csv")
	if err := os.WriteFile(roster, []byte("email;serial;note\nada@lab.example;;first floor\ngrace@lab.example;;\nhedy@lab.example;;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := startWizard(t, "--roster", roster, "--algorithm", "eccp256")
	w.at("Start", "ada@lab.example", "first floor", "0 of 3 done")
	w.practise("have the CA take its time")
	w.toUser()
	w.toPIN("ada@lab.example")
	w.newPIN()
	w.at("Certificate", "… Waiting for the certificate.", "p park, next person")
	first := w.serial(0)
	w.press("p")

	w.at("User", "▸ grace@lab.example", "waiting for the certificate", "0 of 3 done · 1 waiting")
	w.practise("pull the card out")
	w.practise("put a new card in")
	w.practise("have the CA sign what waits")
	// The parked one shows as ready wherever the operator is.
	w.at("User", "certificate is there: go on", "1 ready to go on")
	w.toPIN("grace@lab.example")
	w.newPIN()
	w.register("grace@lab.example")
	w.press("Enter")

	// Whose certificate is there is next.
	w.at("User", "▸ ada@lab.example", "✓ done", "1 of 3 done · 1 ready to go on")
	w.press("Enter")
	w.at("User", "Gmail    has", "enter go on")
	w.press("Enter")
	w.at("Card", "card "+first)
	w.practise("pull the card out")
	w.practise("put card " + first + " in")
	w.at("Card", "serial "+first, "enter go on")
	w.press("Enter")
	w.at("Plan", "goes on with it")
	w.begin()
	w.at("PIN", "Type the PIN")
	w.enter(canary)
	w.register("ada@lab.example")
	w.registered("ada@lab.example", "grace@lab.example")

	w.press("Enter")
	w.at("User", "▸ hedy@lab.example", "2 of 3 done")
	w.press("Escape")
	w.at("Start", "2 of 3 done", "q end")
	w.press("q")
	w.exits(0)
	for _, line := range []string{`2 done, 0 waiting, 0 failed, 1 to do`, `ada@lab\.example: is enrolled with card ` + first + `; evidence in `, `grace@lab\.example: is enrolled with card `} {
		w.outputHas(line, regexp.MustCompile(line))
	}
}

// TestWizardWrongPIN types a wrong PIN twice, then the right one.
func TestWizardWrongPIN(t *testing.T) {
	w := startWizard(t, "--algorithm", "eccp256")
	w.practise("have the CA take its time")
	w.toUser()
	w.toPIN("ada@lab.example")
	w.newPIN()
	w.at("Certificate", "Waiting for the certificate.")
	w.press("p")
	// To wait needs no card; with one it is run again all the same.
	w.enter("ada@lab.example")
	w.at("User", "Gmail    has", "enter go on")
	w.press("Enter")
	w.at("Certificate", "Waiting for the certificate.", "esc card")
	w.press("Escape")
	w.at("Card", "PIN   ", "enter go on")
	w.press("Enter")
	w.begin()
	w.at("PIN", "Type the PIN", "3 tries left")
	w.enter("111111")
	w.at("PIN", "✗", "2 tries left")
	w.enter("222222")
	w.see("1 try left: a wrong one blocks it")
	w.enter(canary)
	w.at("Work", "a wrong PIN blocks the card; try it?")
	w.enter("yes")
	w.at("Certificate", "Waiting for the certificate.")
	w.practise("have the CA sign what waits")
	w.at("Certificate", "The certificate is there.")
	w.press("Enter")
	// The PIN that was typed a moment ago is not asked for again.
	w.register("ada@lab.example")
	w.registered("ada@lab.example")
	w.press("q")
	w.exits(0)
}
