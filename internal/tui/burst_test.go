package tui

import (
	"strings"
	"testing"
)

// A YubiKey that is touched by mistake types a one-time password and Enter.
func TestTouchedYubiKeyActsNowhere(t *testing.T) {
	for name, show := range everyScreen(t) {
		t.Run(name, func(t *testing.T) {
			w := show()
			before, at := w.view(), w.model.at
			w.touched().on(at)
			if name != "pin" && w.view() != before { // the PIN screen says what happened
				t.Errorf("another view:\n%s", w.view())
			}
			w.typed(strings.ToUpper(otp)).press("enter").on(at) // under caps lock
			if w.quit || w.model.leaving != leavingNot {
				t.Error("it began to leave")
			}
		})
	}
}

func TestTouchedYubiKeyIsNoPIN(t *testing.T) {
	w := everyScreen(t)["work"]()
	reply := w.askSecret(newPINQuestion())
	w.typed("739").touched().shows("a touched YubiKey typed that")
	w.typed(canaryPIN).press("enter").shows("once more").typed("73").touched().on(screenPIN)
	w.typed(canaryPIN).press("enter").on(screenWork)
	if got, given := answered(reply); !given || string(got.value.Reveal()) != canaryPIN {
		t.Error("the PIN that was typed before and after was lost")
	}
}

func TestTouchedYubiKeyAgreesToNothing(t *testing.T) {
	w := everyScreen(t)["work"]()
	reply := w.askAgreement(pinQuestion(3).Question, "12345678")
	w.typed("12345678").touched().on(screenQuestion)
	if _, given := answered(reply); given {
		t.Error("it answered")
	}
	w = newWizard(t, withUsedCard(), "").toPlan(ada, adasCard).typed("12345678").touched().on(screenPlan)
	w.shows("serial number  12345678") // what was typed stays
	w.press("enter").on(screenWork)
}

func TestTouchedYubiKeyDoesNotAnswerWhetherToLeave(t *testing.T) {
	w := everyScreen(t)["work"]().press("ctrl+c").touched().shows("An enrollment is running.")
	w.press("enter", "f1").touched().on(screenWork)
	fake := newFakeDesk()
	practice := &fakePractice{}
	fake.practice = practice
	newWizard(t, fake, "").press("ctrl+o").touched()
	if len(practice.did) != 0 {
		t.Errorf("it did %v in the practice lab", practice.did)
	}
}

func TestEnterAfterAFewSuchLettersIsAnEnter(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").press("enter").typed("fred.burlitt@cern.ch").press("enter").shows("has no key pair")
	w.press("esc").typed(strings.Repeat("bcdefghijklnrtuv", 2)[:burstLength-1]).press("enter").shows("has no key pair")
}
