package tui

import (
	"context"
	"crypto/ed25519"
	"iter"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

func TestCardViews(t *testing.T) {
	fake := newFakeDesk()
	w := newWizard(t, fake, "").toCard(ada)
	w.golden("card-looking")
	w.send(desk.ReadersRead{}).golden("card-no-reader")
	w.send(desk.ReadersRead{Err: hintedError{piv.ErrNoService, "start it: systemctl start pcscd"}}).golden("card-no-service")
	w.insert().golden("card-empty-reader")
	w.send(desk.ReadersRead{Found: []piv.Found{{Reader: "HID Global OMNIKEY 3x21 Smart Card Reader 00 00", Err: hintedError{piv.ErrNotYubiKey, "only YubiKeys can be enrolled"}}}}).golden("card-foreign")
	w.send(desk.ReadersRead{Found: []piv.Found{{Reader: "Yubico YubiKey OTP+FIDO+CCID 00 00", Err: hintedError{&piv.InUseError{Reader: "Yubico YubiKey OTP+FIDO+CCID 00 00", Programs: []string{"scdaemon (1234)"}}, "stop it: gpgconf --kill scdaemon"}}}}).golden("card-held")
	w.insert(adasCard, gracesCard).golden("card-two")
	w.insert()
	w.hold = true
	w.insert(adasCard).golden("card-reading")
	w.release().golden("card-factory")

	fake.cards[adasCard] = usedCard(adasCard)
	w.insert().insert(adasCard).golden("card-used")

	confused := usedCard(adasCard)
	confused.Status.Slots[1].Certificate.PublicKey = ed25519.PublicKey("of another key")
	confused.Status.Slots[1].Key.PublicKey = ed25519.PublicKey("of this key")
	fake.cards[adasCard] = confused
	w.insert().insert(adasCard).shows("it was issued for another key than the one in the slot")

	blocked := newCard(adasCard)
	blocked.Status.PIN = piv.Counter{Tries: 0, Max: 3, Factory: piv.No}
	blocked.Status.PUK = piv.Counter{Tries: 1, Max: 3, Factory: piv.No}
	fake.cards[adasCard] = blocked
	w.insert().insert(adasCard).golden("card-blocked")

	old := newCard(adasCard)
	old.Identity.Firmware, old.FormFactor = piv.Version{Major: 4, Minor: 3, Patch: 7}, ""
	old.Status.PIN, old.Status.PUK = piv.Counter{Tries: 3, Max: piv.UnknownTries}, piv.Counter{Tries: piv.UnknownTries, Max: piv.UnknownTries}
	old.Status.ManagementKey = piv.ManagementKey{Algorithm: "3des"}
	fake.cards[adasCard] = old
	w.insert().insert(adasCard).golden("card-old")

	fake.cardErr = hintedError{piv.ErrReset, "push the card in firmly"}
	w.insert().insert(adasCard).golden("card-unreadable")
	fake.cardErr = nil
	w.press("a").shows("serial 12345678")
}

// withAssigned is a wizard whose users have cards that were assigned to them.
func withAssigned(t *testing.T) *wizard {
	t.Helper()
	fake := newFakeDesk()
	fake.people = []desk.Person{{Email: ada, Serial: adasCard}, {Email: grace, Serial: gracesCard}}
	return newWizard(t, fake, "")
}

func TestAssignedCardViews(t *testing.T) {
	w := withAssigned(t).toCard(ada).insert()
	w.golden("card-assigned")
	w.insert(gracesCard).golden("card-wrong")
	w.press("enter").on(screenCard)
	// The right one is taken by itself as soon as it is there.
	w.insert(gracesCard, adasCard).shows("serial 12345678").hides("is meant for this person")

	w = withAssigned(t)
	w.collected(desk.QueueEntry{Person: desk.Person{Email: grace, Serial: gracesCard}, Progress: enroll.Progress{Stage: enroll.StageDone, Serial: gracesCard}})
	w.toCard(hedy).insert(gracesCard).golden("card-of-somebody-else")
	w.press("enter").on(screenCard).press("o").hides("all the same").press("enter").on(screenPlan)
}

func TestTheLastPersonsCardIsKnownWithoutARoster(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).finish(receiptOf(ada, adasCard), nil).press("enter")
	w.toCard(grace).insert(adasCard).shows("this is the card of " + ada).press("enter").on(screenCard)
	w.insert(gracesCard).press("enter").on(screenPlan)
}

// What will not come back by itself is looked for again when a person says so.
func TestReadersAreLookedIntoAgain(t *testing.T) {
	fake, watched := newFakeDesk(), 0
	d := fake.desk(t)
	d.Watch = func(context.Context) iter.Seq2[[]piv.Found, error] {
		return func(yield func([]piv.Found, error) bool) {
			if watched++; watched < 3 {
				yield(nil, piv.ErrAccessDenied)
			} else {
				yield(fake.readers(adasCard), nil)
			}
		}
	}
	w := &wizard{t: t, fake: fake}
	w.model = newModel(commands{ctx: t.Context(), desk: d, tasks: &tasks{}, send: func(msg tea.Msg) { w.send(msg) }, keep: func(*enroll.Receipt) {}, sleep: noTime}, "")
	w.run(w.model.Init())
	w.toCard(ada).shows(piv.ErrAccessDenied.Error(), "press a to look again", "a again").hides("It is noticed")
	w.press("a").shows(piv.ErrAccessDenied.Error(), "press a to look again").press("a").shows("serial 12345678")
	// As long as they are watched, nothing needs to be pressed.
	w.send(desk.ReadersRead{Err: piv.ErrNoService}).shows("It is noticed here as soon as it is back").hides("a again").press("a")
	if watched != 3 {
		t.Errorf("the readers were watched %d times", watched)
	}
}

func TestOtherCardIsTakenOnlyOnDemand(t *testing.T) {
	w := withAssigned(t).toCard(ada).insert(gracesCard)
	w.press("enter").on(screenCard)
	w.press("o").hides("is meant for this person").press("enter").on(screenPlan)
	if got := w.model.session.Request.Serial; got != gracesCard {
		t.Errorf("the plan is for card %d", got)
	}
}

// TestCardTakenByMistake: what was decided about a card is forgotten when it is
// pulled, whichever screen is shown.
func TestCardTakenByMistake(t *testing.T) {
	without := func(t *testing.T) *wizard {
		w := newWizard(t, newFakeDesk(), "")
		w.collected(desk.QueueEntry{Person: desk.Person{Email: grace}, Progress: enroll.Progress{Stage: enroll.StageDone, Serial: gracesCard}})
		return w.toCard(hedy).insert(gracesCard).shows("this is the card of " + grace)
	}
	// Nobody set a card aside: the blank one is as good as any.
	w := without(t).press("o").hides("take it out").insert().shows("Put the card in.").hides("23456789")
	w.insert(adasCard).hides("is meant for this person", "take it out").press("enter").on(screenPlan)
	w = without(t).press("o", "enter").on(screenPlan).insert().on(screenCard).shows("Put the card in.")
	w.insert(adasCard).hides("is meant for this person").press("enter", "enter").on(screenWork)
	if got := w.model.session.Run.Request.Serial; got != adasCard {
		t.Errorf("card %d is enrolled", got)
	}
	// Put back in, it is asked about anew.
	w = without(t).press("o", "enter").on(screenPlan).insert().insert(gracesCard).on(screenCard).shows("this is the card of "+grace, "take it out")
	w.press("enter").on(screenCard)
	// A card was assigned: it still is.
	w = withAssigned(t).toCard(ada).insert(gracesCard).press("o").insert().shows("Put card 12345678 in.")
	w.insert(gracesSecondCard).shows("card 12345678 is meant for this person, and this is 34567890")
	w.insert(adasCard).hides("is meant for this person").press("enter").on(screenPlan)
	if got := w.model.session.Person.Serial; got != adasCard {
		t.Errorf("card %d is assigned to the person", got)
	}
	// In a run the same card may come back.
	w = without(t).press("o", "enter", "enter").on(screenWork).insert().insert(gracesCard).fail("import", errNoRoom).on(screenFailure)
	w.press("esc").on(screenPlan).press("esc").on(screenCard).hides("take it out")
	w.insert().insert(gracesCard).shows("take it out")
}

// TestAgreementIsForOneCard: a serial number that was typed for a loss is not there
// for the next card's.
func TestAgreementIsForOneCard(t *testing.T) {
	fake := newFakeDesk()
	fake.cards[adasCard], fake.cards[gracesCard] = usedCard(adasCard), usedCard(gracesCard)
	w := newWizard(t, fake, "").toPlan(ada, adasCard).shows("LOST FOR EVER").typed("12345678").shows("12345678 ")
	w.press("esc").on(screenCard).insert(gracesCard).press("enter").on(screenPlan).shows("type the card's serial number, 23456789")
	if got := w.model.session.Plan.Serial; got != "" {
		t.Errorf("%q is typed already", got)
	}
}

// TestChosenCardIsForgottenOnEveryScreen: pulled while the plan is shown, it is
// chosen anew.
func TestChosenCardIsForgottenOnEveryScreen(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toCard(ada).insert(adasCard, gracesCard).press("down", "enter", "enter").on(screenPlan)
	w.insert(adasCard).insert(adasCard, gracesCard).press("esc").on(screenCard).shows("Which one is it?")
}

func TestCardIsNoticedInAndOut(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toCard(ada).insert()
	for range 3 {
		w.insert(adasCard).shows("serial 12345678").insert().shows("Put the card in.").hides("12345678")
	}
	w.insert(gracesCard).shows("serial 23456789")
}

func TestCardIsReadOnceAsLongAsItStays(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toCard(ada)
	for range 5 {
		w.insert(adasCard)
	}
	if got := w.fake.read; got != 1 {
		t.Errorf("it was read %d times", got)
	}
	w.press("esc", "enter", "enter").on(screenCard) // it may be another person's by now
	if got := w.fake.read; got != 2 {
		t.Errorf("it was read %d times", got)
	}
}

func TestOneOfSeveralCardsIsChosen(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toCard(ada).insert(adasCard, gracesCard)
	w.press("down", "enter").shows("serial 23456789")
	w.press("esc").shows("Which one is it?") // and not another user
	w.press("up", "enter").shows("serial 12345678")
	// Pulled, it is no longer the chosen one.
	w.insert(gracesCard).shows("serial 23456789")
	w.insert(adasCard, gracesCard).shows("Which one is it?")
}

func TestLateAnswerForAnotherCardIsIgnored(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toCard(ada)
	w.hold = true
	w.insert(adasCard)
	w.insert(gracesCard)
	late := w.held[0]
	w.held = w.held[1:]
	w.release().shows("serial 23456789")
	w.run(late)
	w.shows("serial 23456789").hides("12345678")
}
