package cli_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/cse-piv/cse-piv/internal/terminal"
)

var screens = flag.String("screens", "", "write pictures of the wizard's screens to this `folder`")

// picturesDir is the demo's folder, whose path the pictures show.
const picturesDir = "/tmp/cse-piv-demo"

// TestScreens draws the pictures of the documentation, where that is asked for.
// Dates, fingerprints and IDs are others each time.
func TestScreens(t *testing.T) {
	if *screens == "" {
		t.Skip("NOT TESTED: it draws pictures; make docs-screens asks for it")
	}
	if err := os.Mkdir(picturesDir, 0o700); errors.Is(err, os.ErrExist) {
		t.Fatalf("remove %s first: the pictures show its name", picturesDir)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(picturesDir) })
	w := startDemo(t, terminal.Options{Width: 90, Height: 30}, picturesDir, "--card-serial", "12345678")

	w.checked("Queue:")
	w.draw("start", "The start screen: what an enrollment needs, and the queue")
	w.practise("have the CA take its time")
	w.toUser()
	w.draw("user", "The user screen: an address is typed, or picked from the queue")
	w.enter("ada")
	w.at("User", "Gmail    has", "enter go on")
	w.press("Enter")
	w.at("Card", "enter go on")
	w.draw("card", "The card screen: what is on the card that was put in")
	w.press("?")
	w.see("This screen", "esc close")
	w.draw("help", "The help of the card screen: its keys, and what it is for")
	w.press("Escape")
	w.at("Card", "enter go on")
	w.press("Enter")
	w.at("Plan", "enter begin")
	w.draw("plan", "The plan: choices, and each step with what it changes")
	w.press("Enter")
	w.at("PIN", "Type a new PIN")
	w.draw("pin", "The PIN screen, for the user")
	w.newPIN()
	w.at("Work", "The card is making the key")
	w.draw("work", "The work: the card makes the key")
	w.practise("pull the card out")
	w.at("Work", "The card is out")
	w.draw("pulled", "The work, with the card pulled out: it waits until the card is back")
	w.press("C-o")
	w.see("The drawer of practice cards", "put card 12345678 in")
	w.draw("drawer", "The drawer of practice cards, in the demo only")
	w.press("Enter")
	w.at("Certificate", "Waiting for the certificate.")
	w.draw("certificate", "Waiting for the certificate, with the choice to park the person")
	w.practise("have the CA sign what waits")
	w.at("Certificate", "The certificate is there.")
	w.press("Enter")
	w.at("Review", "✓ what is on the card and what is uploaded are the same")
	w.draw("review", "The review: chain, addresses, fingerprints and findings")
	w.agree()
	w.at("Done", "ada@lab.example is enrolled.")
	w.draw("done", "The receipt")
	w.press("Enter")

	// The same card for the next person: a key would be lost.
	w.at("User", "▸ grace@lab.example")
	w.press("Enter")
	w.at("User", "Gmail    has", "enter go on")
	w.press("Enter")
	w.at("Card", "this is the card of ada@lab.example", "o use this card")
	w.press("o")
	w.at("Card", "enter go on")
	w.press("Enter")
	w.at("Plan", "LOST FOR EVER")
	w.draw("loss", "The plan where a key would be lost: the card's serial number has to be typed")
	w.press("Escape")
	w.at("Card")
	w.practise("pull the card out")
	w.practise("put a new card in")
	w.at("Card", "still the factory one", "enter go on")
	w.press("Enter")
	w.begin()
	w.newPIN()
	w.at("Review", "✓ what is on the card and what is uploaded are the same")
	w.post("cse", `{"email": "grace@lab.example", "on": false}`)
	w.agree()
	w.at("Work", "✗ Failed: ")
	w.draw("failure", "A failed step: what failed, why, and what to do")
	w.press("p")
	w.at("User", "▸ hedy@lab.example")
	w.draw("queue", "The queue, with somebody done and somebody whose enrollment failed")
}

// draw writes the screen as it is now.
func (w *wizard) draw(name, title string) {
	w.t.Helper()
	grid, err := w.Cells(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screens, name+".svg"), terminal.SVG(grid, terminal.Dark(), title), 0o644); err != nil {
		w.t.Fatal(err)
	}
}
