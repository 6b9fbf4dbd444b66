package tui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// pinQuestion asks for the PIN of a card with that many tries left.
func pinQuestion(tries int) enroll.SecretQuestion {
	return enroll.SecretQuestion{
		Question: enroll.Question{ID: "pin", Text: "the PIN of card 12345678"},
		Rule:     "6 to 8 letters, digits or signs", Tries: tries, Check: piv.CheckPIN,
	}
}

// newPINQuestion asks for a new PIN.
func newPINQuestion() enroll.SecretQuestion {
	question := pinQuestion(3)
	question.Text, question.New = "a new PIN for card 12345678", true
	return question
}

func TestPINViews(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("secrets")
	reply := w.askSecret(newPINQuestion())
	w.on(screenPIN).golden("pin-new")
	w.typed("12").golden("pin-typed")
	w.press("enter").golden("pin-too-short")
	w.typed(canaryPIN).press("enter").golden("pin-again")
	w.typed(wrongPIN).press("enter").golden("pin-mismatch")
	w.touched().golden("pin-touched")
	w.typed(canaryPIN).press("enter").typed(canaryPIN).press("enter").on(screenWork)
	if got, ok := answered(reply); !ok || string(got.value.Reveal()) != canaryPIN {
		t.Error("the new PIN was not handed over")
	}

	question := pinQuestion(2)
	question.Problem = "wrong PIN, 2 tries left"
	w.askSecret(question)
	w.golden("pin-wrong")
	question = pinQuestion(1)
	question.Problem = "wrong PIN, 1 try left"
	w.askSecret(question)
	w.golden("pin-last-try")

	question = pinQuestion(piv.UnknownTries)
	question.ID, question.Text, question.Rule = "management-key", "the management key of card 12345678", "48 hexadecimal digits"
	w.askSecret(question)
	w.golden("pin-management-key")
}

// TestWhatWasToldStandsBesideEveryQuestion: a secret is asked for on a screen of its own, which is not to
// cover what the run told right before. What is wrong is not said twice.
func TestWhatWasToldStandsBesideEveryQuestion(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("secrets")
	const sealed = "the PUK is sealed in /var/lib/desk/escrow/12345678.age, which only Grace can open"
	question := pinQuestion(3)
	question.ID, question.Text = "puk", "the PUK of card 12345678"
	w.event("secrets", enroll.StateNote, sealed).askSecret(question)
	w.on(screenPIN).golden("pin-note")
	question.Problem = "the card refused the PUK; 2 tries are left"
	w.event("secrets", enroll.StateNote, question.Problem).askSecret(question)
	w.shows("note the PUK is sealed", question.Problem).hides("note the card refused")
	w.askAgreement(enroll.Question{Text: "try all the same?"}, "")
	w.shows("note the PUK is sealed", "note the card refused")
	w.askChoice(enroll.Question{Text: "and now?"}, enroll.Choice{ID: "a", Text: "this"}, enroll.Choice{ID: "b", Text: "that"})
	w.shows("note the PUK is sealed", "note the card refused")
}

func TestWrongPINTwiceThenRight(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("set-pin")
	for _, tries := range []int{3, 2} {
		question := pinQuestion(tries)
		if tries < 3 {
			question.Problem = "wrong PIN, 2 tries left"
		}
		reply := w.askSecret(question)
		w.typed(wrongPIN).press("enter").on(screenWork)
		if got, ok := answered(reply); !ok || string(got.value.Reveal()) != wrongPIN {
			t.Fatal("the PIN was not handed over")
		}
	}
	question := pinQuestion(1)
	question.Problem = "wrong PIN, 1 try left"
	reply := w.askSecret(question)
	w.shows("wrong PIN, 1 try left", "1 try left: a wrong one blocks it").typed(canaryPIN).press("enter").on(screenWork)
	if got, ok := answered(reply); !ok || string(got.value.Reveal()) != canaryPIN {
		t.Error("the right PIN was not handed over")
	}
}

func TestPINThatBreaksTheRulesStaysHere(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("secrets")
	reply := w.askSecret(pinQuestion(3))
	for _, text := range []string{"", "12345", "123456789", "pässwört"} {
		w.typed(text).press("enter").on(screenPIN)
		if _, ok := answered(reply); ok {
			t.Fatalf("%q was handed over", text)
		}
	}
	w.shows("✗")
}

func TestPINIsCorrectedAndPasted(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("secrets")
	reply := w.askSecret(pinQuestion(3))
	w.typed("739ü").press("backspace").typed("14").send(tea.PasteMsg{Content: "628\n"}).press("enter").on(screenWork)
	if got, ok := answered(reply); !ok || string(got.value.Reveal()) != canaryPIN {
		t.Error("what was typed and pasted is not what was handed over")
	}
}

// A slip costs no try: the usual keys edit the field.
func TestKeysThatEditAPIN(t *testing.T) {
	for name, keys := range map[string][]string{
		"ctrl+u": {"999", "ctrl+u", canaryPIN}, "ctrl+w": {"999", "ctrl+w", canaryPIN}, "alt+backspace": {"999", "alt+backspace", canaryPIN},
		"home": {canaryPIN[1:], "home", canaryPIN[:1]}, "ctrl+a and ctrl+e": {canaryPIN[1:7], "ctrl+a", canaryPIN[:1], "ctrl+e", canaryPIN[7:]},
		"left": {canaryPIN[:6] + canaryPIN[7:], "left", canaryPIN[6:7]}, "delete": {"9" + canaryPIN, "home", "delete"},
		"right": {"9" + canaryPIN, "ctrl+a", "right", "backspace"}, "ctrl+k": {canaryPIN + "9", "left", "ctrl+k"},
	} {
		w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("secrets")
		reply := w.askSecret(pinQuestion(3))
		for _, key := range keys {
			if _, known := editingKeys[key]; known {
				w.press(key)
			} else {
				w.typed(key)
			}
		}
		w.press("enter")
		if got, ok := answered(reply); !ok || string(got.value.Reveal()) != canaryPIN {
			t.Errorf("%s: %q was handed over", name, got.value.Reveal())
		}
	}
}

func TestTypedPINOutlivesHelpAndStopQuestion(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("secrets")
	reply := w.askSecret(pinQuestion(3))
	w.typed("7391").press("f1").shows("This screen").press("enter")
	w.press("esc").shows("An enrollment is running.").press("enter").on(screenPIN)
	w.size(60, 20).shows("Please make it larger").size(80, 24)
	w.typed("4628").press("enter")
	if got, ok := answered(reply); !ok || string(got.value.Reveal()) != canaryPIN {
		t.Error("what was typed before was lost")
	}
}

func TestNoSecretIsLongerThanAManagementKey(t *testing.T) {
	question := pinQuestion(piv.UnknownTries)
	question.ID, question.Check = "management-key", func(key secret.Secret) error { _, err := piv.ParseManagementKey(key); return err }
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("secrets")
	reply := w.askSecret(question)
	key := strings.Repeat("0123456789abcdef", 4)
	w.send(tea.PasteMsg{Content: key + "0"}).hides("being typed").send(tea.PasteMsg{Content: key}).typed("0").press("enter").on(screenWork)
	if got, ok := answered(reply); !ok || string(got.value.Reveal()) != key {
		t.Error("the management key was not handed over")
	}
}

func TestTypedPINEndsWithItsEnrollment(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("secrets")
	w.askSecret(newPINQuestion())
	w.typed(canaryPIN).press("enter").typed("739").finish(nil, errNoRoom).on(screenFailure)
	pin := w.model.screens[screenPIN].(*pinScreen)
	if !pin.typed.Text().IsZero() || !pin.first.IsZero() {
		t.Error("what was typed is kept")
	}
	w.press("a").upTo("secrets")
	w.askSecret(newPINQuestion())
	w.shows("Type a new PIN", "[               ]")
}

func TestQuestionMarkMayBePartOfAPIN(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("secrets")
	reply := w.askSecret(pinQuestion(3))
	w.typed("what?pq").hides("This screen").press("enter")
	if got, ok := answered(reply); !ok || string(got.value.Reveal()) != "what?pq" {
		t.Error("a letter was taken for a key of the wizard")
	}
}

func TestPINFieldIsAlwaysTheSame(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("secrets")
	w.askSecret(pinQuestion(3))
	w.typed("7")
	one := w.view()
	if w.typed("3914628"); w.view() != one {
		t.Errorf("the view tells how long the PIN is:\n%s", w.view())
	}
	if strings.Contains(one, "7 ]") {
		t.Error("the PIN is shown")
	}
}
