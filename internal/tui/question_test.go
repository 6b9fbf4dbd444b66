package tui

import (
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
)

func TestQuestionViews(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("settle-keys")
	choice := w.askChoice(
		enroll.Question{ID: "occupied", Text: "slot 9d already holds an rsa2048 key (generated) with the certificate 4e7c21ecfae69710 of old.ada@example.com, valid until 2027-11-24"},
		enroll.Choice{ID: "existing", Text: "use the key that is there"}, enroll.Choice{ID: "stop", Text: "stop, and change nothing"},
		enroll.Choice{ID: "overwrite", Text: "generate a new key there; the present one is lost for ever"})
	w.on(screenQuestion).golden("question-choice")
	w.press("down", "down", "down", "up", "enter").on(screenWork)
	if got, ok := answered(choice); !ok || got.value != "stop" {
		t.Errorf("the choice is %+v", got)
	}

	w.askAgreement(enroll.Question{ID: "last-try", Text: "only one try is left for the PIN, and a wrong one blocks it: try all the same?"}, "")
	w.golden("question-yes-no")

	w.askAgreement(enroll.Question{ID: "overwrite", Text: "the key in slot 9d of card 12345678 will be overwritten", Loss: []string{
		"slot 9d already holds an rsa2048 key (generated) without a certificate", "mail that was encrypted to it can no longer be read with this card",
	}}, "12345678")
	w.golden("question-typed")
}

// TestLongChoiceIsShownWhole: what an answer costs stands at its end.
func TestLongChoiceIsShownWhole(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard)
	w.askChoice(enroll.Question{ID: "new-card", Text: "is this card new?"},
		enroll.Choice{ID: "own", Text: "somebody has set its PIN"},
		enroll.Choice{ID: "new", Text: "it is new: PIN and PUK are replaced; if it is not, that costs one try of the PIN or, where only the PIN is the factory one, of the PUK"})
	w.shows("that costs one try of the", "PIN or, where only the PIN is the factory one, of the PUK")
}

func TestYesAndNoAreSpelledOut(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard)
	for typed, want := range map[string]bool{"yes": true, "Yes ": true, "no": false, "NO": false} {
		reply := w.askAgreement(enroll.Question{Text: "try all the same?"}, "")
		for _, unclear := range []string{"", "y", "yess", "1"} {
			w.typed(unclear).press("enter").on(screenQuestion).shows("Type the whole word, yes or no")
			if _, given := answered(reply); given {
				t.Fatalf("%q was taken for an answer", unclear)
			}
		}
		w.typed(typed).press("enter").on(screenWork)
		if got, given := answered(reply); !given || got.value != want {
			t.Errorf("%q was taken for %+v", typed, got)
		}
	}
}

func TestDestructiveAnswerIsTypedInFull(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard)
	address := w.askAgreement(enroll.Question{Text: "what stops working"}, "ada@lab.example")
	w.typed("Ada@LAB.example").press("enter").on(screenWork)
	if got, given := answered(address); !given || got.value != true {
		t.Errorf("an address in capitals was taken for %+v", got)
	}
	for _, typed := range []string{"", "1234567", "123456789", "yes"} {
		reply := w.askAgreement(enroll.Question{Text: "the key will be overwritten"}, "12345678")
		w.typed(typed).press("enter").on(screenWork)
		if got, given := answered(reply); !given || got.value {
			t.Errorf("%q agreed to the loss", typed)
		}
	}
	// What was typed for a question that went away is not there for the next.
	w.askAgreement(enroll.Question{Text: "the key will be overwritten"}, "12345678")
	w.typed("1234")
	reply := w.askAgreement(enroll.Question{Text: "the key will be overwritten"}, "12345678")
	w.hides("1234 ").typed("1234").press("esc").shows("An enrollment is running.").press("enter").shows("> 1234")
	w.size(40, 10).size(80, 24).press("f1", "enter")
	w.typed("5678").press("enter").on(screenWork)
	if got, given := answered(reply); !given || !got.value {
		t.Error("the serial number did not agree to the loss")
	}
}
