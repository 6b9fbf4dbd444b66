package tui

import (
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
)

// atWork goes from the queue to the running enrollment of the marked person.
func (w *wizard) atWork(commands *softDesk, serial uint32) *wizard {
	w.t.Helper()
	w.press("enter", "enter").on(screenCard)
	return w.send(desk.ReadersRead{Found: commands.found(serial)}).press("enter").on(screenPlan).press("enter")
}

// typedTwice types a new PIN as it is asked for.
func (w *wizard) typedTwice(pin string) *wizard {
	w.t.Helper()
	return w.on(screenPIN).typed(pin).press("enter").typed(pin).press("enter")
}

func TestWholeEnrollment(t *testing.T) {
	live(t, func(t *testing.T, w *wizard, commands *softDesk) {
		w.press("enter").shows("▸ "+ada).atWork(commands, adasCard)
		w.typedTwice(canaryPIN).on(screenWork).shows("set or check the PIN", "now")
		w.pass(5*time.Second).on(screenReview).shows("✓ what is on the card and what is uploaded are the same", "Example Root CA", "leaf         "+ada)
		w.press("enter").on(screenWork).pass(3*time.Second).on(screenDone).shows("✓ "+ada+" is enrolled.", "pair-of-"+ada)
		if got := commands.identities[ada].PrimaryKeyPairID; got != "pair-of-"+ada || len(commands.pairs[ada]) != 1 {
			t.Errorf("Gmail has %+v and the identity %q", commands.pairs[ada], got)
		}
		w.press("enter").on(screenUser).shows("▸ "+grace, "1 of 2 done")
	}, desk.Person{Email: ada}, desk.Person{Email: grace})
}

func TestWrongPINTwiceThenRightOnTheCard(t *testing.T) {
	live(t, func(t *testing.T, w *wizard, commands *softDesk) {
		commands.cards[adasCard].pin = canaryPIN
		w.press("enter").atWork(commands, adasCard)
		w.on(screenPIN).typed(wrongPIN).press("enter").on(screenPIN).shows("2 tries left")
		w.typed(wrongPIN).press("enter").on(screenPIN).shows("1 try left", "1 try left: a wrong one blocks it")
		// The card's last try is used only when that is agreed to.
		w.typed(canaryPIN).press("enter").on(screenQuestion).shows("a wrong PIN blocks the card").press("enter").on(screenQuestion)
		w.typed("yes").press("enter").pass(5 * time.Second).on(screenReview)
		if got := commands.cards[adasCard].tries; got != 3 {
			t.Errorf("%d tries are left after the right PIN", got)
		}
		w.press("enter").pass(3 * time.Second).on(screenDone)
	}, desk.Person{Email: ada})
}

func TestLastTryDeclined(t *testing.T) {
	live(t, func(t *testing.T, w *wizard, commands *softDesk) {
		commands.cards[adasCard].pin, commands.cards[adasCard].tries = canaryPIN, 1
		w.press("enter").atWork(commands, adasCard)
		w.typed(canaryPIN).press("enter").on(screenQuestion).typed("no").press("enter").on(screenFailure).shows("not tried")
		if got := commands.cards[adasCard].tries; got != 1 {
			t.Errorf("%d tries are left", got)
		}
		w.press("a").on(screenPIN)
	}, desk.Person{Email: ada})
}

func TestCardPulledAtWorkGoesOn(t *testing.T) {
	for name, at := range map[string]string{"while the PIN is set": "set or check the PIN", "while the certificate is put in": "put the certificate into slot 9d"} {
		t.Run(name, func(t *testing.T) {
			live(t, func(t *testing.T, w *wizard, commands *softDesk) {
				w.press("enter").atWork(commands, adasCard).typedTwice(canaryPIN)
				for range 40 {
					if steps := w.model.session.Run.Steps; steps[w.model.session.Run.Current].Title == at {
						break
					}
					w.pass(beatPause)
				}
				commands.cards[adasCard].pull(true)
				w.send(desk.ReadersRead{}).pass(30*time.Second).on(screenWork).shows("The card is out: put card 12345678 back in", at)
				commands.cards[adasCard].pull(false)
				w.send(desk.ReadersRead{Found: commands.found(adasCard)}).pass(5 * time.Second).on(screenReview).hides("The card is out")
				w.press("enter").pass(3 * time.Second).on(screenDone)
				if n := len(commands.pairs[ada]); n != 1 {
					t.Errorf("Gmail has %d key pairs", n)
				}
			}, desk.Person{Email: ada})
		})
	}
}

func TestParkedPersonComesBackByThemselves(t *testing.T) {
	live(t, func(t *testing.T, w *wizard, commands *softDesk) {
		commands.answer(false)
		w.press("enter").atWork(commands, adasCard).typedTwice(canaryPIN).pass(2 * time.Second)
		w.on(screenCertificate).shows("Waiting for the certificate", ada+".csr.pem").press("p")
		w.on(screenUser).shows("▸ "+grace, "1 waiting")

		w.atWork(commands, gracesCard).typedTwice(wrongPIN).pass(2 * time.Second).on(screenCertificate)
		commands.answer(true)
		w.pass(3*time.Second).on(screenCertificate).shows("The certificate is there.", "2 ready to go on")
		// Grace's PIN was typed a moment ago, for the same card: it is not asked for again.
		w.press("enter").pass(5 * time.Second).on(screenReview).press("enter").pass(3 * time.Second).on(screenDone).shows(grace + " is enrolled")

		// Ada's was typed before Grace came: it is.
		w.press("enter").on(screenUser).shows("▸ "+ada, "certificate is there").press("enter", "enter").on(screenCard)
		w.send(desk.ReadersRead{Found: commands.found(gracesCard)}).shows("card 12345678 is meant for this person")
		w.send(desk.ReadersRead{Found: commands.found(adasCard)}).press("enter", "enter").on(screenPIN).typed(canaryPIN).press("enter")
		w.pass(5 * time.Second).on(screenReview).press("enter").pass(3 * time.Second).on(screenDone).shows(ada + " is enrolled")
		w.press("enter").shows("2 of 2 done")
	}, desk.Person{Email: ada}, desk.Person{Email: grace})
}

func TestKnownPINOutlastsSeveralLooks(t *testing.T) {
	live(t, func(t *testing.T, w *wizard, commands *softDesk) {
		commands.answer(false)
		w.press("enter").atWork(commands, adasCard).typedTwice(canaryPIN).pass(2 * time.Second).on(screenCertificate)
		for range 3 {
			w.press("enter").pass(time.Second).on(screenCertificate)        // looked again
			w.press("esc", "enter").pass(time.Second).on(screenCertificate) // and run again, and not asked again
		}
		// On the card it was changed meanwhile.
		commands.cards[adasCard].pin = wrongPIN
		w.press("esc", "enter").on(screenPIN).shows("2 tries left").press("esc", "esc").pass(time.Second).on(screenPlan)
		w.press("enter").on(screenPIN) // what was wrong is forgotten
	}, desk.Person{Email: ada})
}

func TestStoppedEnrollmentGoesOnLater(t *testing.T) {
	live(t, func(t *testing.T, w *wizard, commands *softDesk) {
		w.press("enter").atWork(commands, adasCard).typedTwice(canaryPIN)
		w.press("ctrl+c", "esc").shows("Stopping").pass(2 * time.Second).on(screenPlan)
		w.press("enter").on(screenPIN).shows("the PIN of card 12345678").hides("a new PIN") // it was set already
		w.typed(canaryPIN).press("enter").pass(5 * time.Second).on(screenReview)
		w.press("esc", "ctrl+c").pass(time.Second)
		if !w.quit || len(commands.pairs[ada]) != 0 {
			t.Errorf("quit %v with %d key pairs", w.quit, len(commands.pairs[ada]))
		}
	}, desk.Person{Email: ada})
}

func TestReviewIsNotAgreedToByLeaving(t *testing.T) {
	live(t, func(t *testing.T, w *wizard, commands *softDesk) {
		w.press("enter").atWork(commands, adasCard).typedTwice(canaryPIN).pass(5 * time.Second).on(screenReview)
		w.press("esc", "esc").pass(2 * time.Second).on(screenPlan)
		if n := len(commands.pairs[ada]); n != 0 {
			t.Errorf("Gmail has %d key pairs", n)
		}
	}, desk.Person{Email: ada})
}
