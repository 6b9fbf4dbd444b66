package cli_test

import (
	"regexp"
	"strings"
	"testing"
)

// TestWizard enrolls somebody with the keyboard alone, from the start to the
// receipt.
func TestWizard(t *testing.T) {
	w := startWizard(t, "--algorithm", "eccp256")
	w.toUser()
	w.toPIN("grace@lab.example")
	w.titled("cse-piv: grace@lab.example - PIN")
	w.newPIN()
	w.register("grace@lab.example")
	w.titled("cse-piv: grace@lab.example - Done")
	w.registered("grace@lab.example")
	serial := w.serial(0)
	w.see("1 of 3 done", "24 hours", serial)
	w.press("q")
	w.exits(0)
	// The summary stays on the terminal.
	summary := w.see("1 done, 0 waiting, 0 failed, 2 to do", "grace@lab.example: is enrolled with card "+serial+"; evidence in ")
	if strings.Contains(summary, "[Done]") {
		t.Errorf("the wizard's screen stays:\n%s", summary)
	}
	w.outputHas("a progress bar", regexp.MustCompile(`\x1b\]9;4;1;\d+(\x07|\x1b\\)`))
	w.outputHas("a progress bar that waits for a person", regexp.MustCompile(`\x1b\]9;4;4;\d+(\x07|\x1b\\)`))
	w.outputHas("the progress bar's end", regexp.MustCompile(`\x1b\]9;4;0`))
}

// TestWizardCardPulled pulls the card while it makes a key, and again while
// Gmail takes the key pair.
func TestWizardCardPulled(t *testing.T) {
	w := startWizard(t) // RSA, which takes its time
	w.toUser()
	w.toPIN("ada@lab.example")
	w.newPIN()
	w.at("Work", "The card is making the key")
	w.practise("pull the card out")
	serial := w.serial(0)
	w.at("Work", "The card is out: put card "+serial+" back in")
	w.practise("put card " + serial + " in")
	w.at("Review", "✓ what is on the card and what is uploaded are the same")

	w.practise("make Gmail slow")
	w.agree()
	w.at("Work", "register the key pair of slot 9d at Gmail")
	w.practise("pull the card out")
	w.at("Work", "The card is out: put card "+serial+" back in")
	w.practise("make Gmail quick again")
	w.practise("put card " + serial + " in")
	w.at("Done", "✓ ada@lab.example is enrolled.")
	w.registered("ada@lab.example")
	w.press("q")
	w.exits(0)
}

// TestWizardLostAnswer: Gmail's answer is lost after it took the key pair.
func TestWizardLostAnswer(t *testing.T) {
	w := startWizard(t, "--algorithm", "eccp256")
	w.toUser()
	w.toPIN("ada@lab.example")
	w.newPIN()
	w.at("Review", "✓ what is on the card and what is uploaded are the same")
	w.practise("lose Gmail's next answer")
	w.register("ada@lab.example")
	w.registered("ada@lab.example")
	w.press("C-c") // nothing runs, so nothing is asked
	w.exits(0)
}

// titled waits until the window's title is that.
func (w *wizard) titled(title string) {
	w.t.Helper()
	w.outputHas("the title "+title, regexp.MustCompile(`\x1b\][02];`+regexp.QuoteMeta(title)+`(\x07|\x1b\\)`))
	if got, err := w.Title(w.t.Context()); err != nil || got != title {
		w.t.Errorf("the window is called %q (%v), want %q", got, err, title)
	}
}
