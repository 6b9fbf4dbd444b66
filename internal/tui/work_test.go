package tui

import (
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

func TestWorkViews(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard)
	w.golden("work-begins")
	w.upTo("escrow").event("escrow", enroll.StateNote, "sealed in /var/lib/desk/escrow/12345678-20261124T093000Z.age")
	w.golden("work-note")
	w.upTo("generate").send(beatMsg(moment.Add(17 * time.Second))).golden("work-generating")
	w.event("generate", enroll.StateRetry, "the card was removed").event("generate", enroll.StateCardOut, "put card 12345678 back in")
	w.golden("work-card-out")
	w.event("generate", enroll.StateCardBack, "").hides("The card is out")
	w.event("generate", enroll.StateCardOut, "put card 12345678 back in").shows("The card is out")
	w.later(21*time.Second, "generate", enroll.StateDone, "").hides("The card is out").golden("work-generated")
	w.upTo("prove-possession").event("prove-possession", enroll.StateTouch, "the key in slot 9d waits for a touch")
	w.golden("work-touch")
	w.later(time.Minute, "prove-possession", enroll.StateDone, "").hides("Touch your YubiKey")
	w.upTo("record").golden("work-record")
}

func TestWorkOfAKnownUser(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard)
	w.event("read-card", enroll.StateStarted, "").event("read-card", enroll.StateAlready, "").shows("read the card", "already", "1 of 20 steps")
}

func TestClockAndSpinnerTurn(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("generate")
	w.send(beatMsg(moment.Add(time.Second))).shows("1.0 s", "◓")
	w.send(beatMsg(moment.Add(2500*time.Millisecond))).shows("2.5 s", "◑")
}

func TestTouchIsAskedForOnlyWhileTheCardWaits(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("prove-possession").hides("Touch")
	w.event("prove-possession", enroll.StateTouch, "the key in slot 9d waits for a touch").shows("Touch your YubiKey now")
	w.event("prove-possession", enroll.StateRetry, "the card was reset").hides("Touch your YubiKey now")
	// Pulled while it waits, put back, and asked for again.
	w.event("prove-possession", enroll.StateTouch, "the key in slot 9d waits for a touch").event("prove-possession", enroll.StateRetry, "the card was removed")
	w.event("prove-possession", enroll.StateCardOut, "put card 12345678 back in").shows("The card is out").hides("Touch your YubiKey now")
	w.event("prove-possession", enroll.StateTouch, "the key in slot 9d waits for a touch").shows("Touch your YubiKey now").hides("The card is out")
	// It is touched to sign, and then once more to decrypt.
	w.event("prove-possession", enroll.StateTouch, "the key in slot 9d waits for a touch").event("prove-possession", enroll.StateTouched, "").hides("Touch your YubiKey now")
	w.event("prove-possession", enroll.StateTouch, "the key in slot 9d waits for a touch").shows("Touch your YubiKey now")
}

// While a card is waited for, the one that is there instead is named.
func TestAnotherCardIsNamedWhileOneIsWaitedFor(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("generate").insert()
	w.event("generate", enroll.StateCardOut, "put card 12345678 back in").shows("put card 12345678 back in").hides("another one")
	w.insert(gracesCard).shows("card 23456789 is in a reader: it is another one")
	w.insert(adasCard, gracesCard).event("generate", enroll.StateCardBack, "").hides("another one")
	w = newWizard(t, newFakeDesk(), "").toPlan(ada, adasCard)
	w.insert(gracesCard).shows("card 12345678 is out", "card 23456789 is in a reader: it is another one")
}

// What the command line agreed to lose need not be typed.
func TestLossOfTheCommandLineNeedsNoSerial(t *testing.T) {
	fake := withUsedCard()
	fake.request.Overwrite, fake.request.Confirm = true, "12345678"
	w := newWizard(t, fake, "").toPlan(ada, adasCard).shows("LOST FOR EVER").hides("type the card's serial number")
	w.press("enter").on(screenWork)
	if got := w.model.session.Run.Request; !got.Overwrite || got.Confirm != "12345678" || len(got.Agreed) == 0 {
		t.Errorf("the request is %+v", got)
	}
	fake.cards[gracesCard] = usedCard(gracesCard) // another card's loss was not agreed to
	newWizard(t, fake, "").toPlan(grace, gracesCard).shows("type the card's serial number, 23456789").press("enter").on(screenPlan)
}

func TestEventsOfAnOldRunAreIgnored(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard)
	old := w.model.session.Run
	w.fail("generate", errNoRoom).press("a").on(screenWork)
	w.send(desk.StepHappened{Run: old.ID, Event: enroll.Event{Step: "generate", State: enroll.StateTouch, Message: "of the old run", Index: 9, Of: 20}}).hides("of the old run")
	w.send(desk.RunEnded{Run: old.ID, Err: errNoRoom}).on(screenWork)

	reply := make(chan answer[bool], 1)
	w.send(agreementAsked{run: old.ID, reply: reply}).on(screenWork)
	if got, ok := answered(reply); !ok || got.err == nil {
		t.Error("a question of the old run is left without an answer")
	}
	// An event that fits no step, of a plan that changed, harms nothing.
	w.send(desk.StepHappened{Run: w.model.session.Run.ID, Event: enroll.Event{Index: 99}}, desk.StepHappened{Run: w.model.session.Run.ID, Event: enroll.Event{}}).on(screenWork)
}
