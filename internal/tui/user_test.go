package tui

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// queueOfEnds has people whose card's use ended, or who are renewed or get another card just now.
func queueOfEnds() (entries []desk.QueueEntry) {
	for i, state := range []ledger.CardState{ledger.CardLost, ledger.CardStolen, ledger.CardBroken, ledger.CardWithdrawn, ledger.CardReturned, ledger.CardErased} {
		entry := standing(fmt.Sprintf("a.very.long.address.of.somebody%d@department.example.com", i), adasCard+uint32(i), enroll.StageDone)
		entry.Ended = &ledger.CardCertificate{State: state, Changed: moment}
		entries = append(entries, entry)
	}
	for _, stage := range []enroll.Stage{enroll.StageBegun, enroll.StageWaiting, enroll.StageReady} {
		renewing, replacing := standing(string(stage)+"-to-be-renewed@department.example.com", gracesCard, stage), standing(string(stage)+"-on-another-card@department.example.com", gracesCard, stage)
		renewing.Renewal, replacing.MovesFrom = &evidence.Renewal{}, []string{"card 1"}
		entries = append(entries, renewing, replacing)
	}
	return entries
}

func TestUserViews(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").press("enter")
	w.golden("user-empty")
	w.press("enter").golden("user-nothing-typed")
	w.typed("ada@exa mple").press("enter").golden("user-no-address")

	w = withQueue(t).press("enter")
	w.golden("user-queue")
	w.typed("hpr").golden("user-search")
	w.typed("zz").golden("user-no-match")
	fake := newFakeDesk()
	fake.people = peopleOf(queueOfEnds())
	newWizard(t, fake, "").queued(queueOfEnds()).press("enter").golden("user-queue-ends")
	w = withQueue(t).press("enter").typed("somebody.else@example.com")
	w.golden("user-typed")
}

func TestWhatGmailHasViews(t *testing.T) {
	fake := newFakeDesk()
	w := newWizard(t, fake, "").press("enter").typed(ada)
	w.hold = true
	w.press("enter").golden("user-asking-gmail")
	w.release().golden("user-new-to-gmail")

	fake.atGmail[ada] = desk.AtGmail{
		KeyPairs: []gmail.KeyPair{
			pairOf("ANe1BmHSTmPVKtI6fajkiF1kGRWmhTStkVjLgpQ7xZw2Nd0aYc4RbE8", true, "YubiKey 5C NFC, serial 12345678, slot 9d"),
			pairOf("ANe1BmGw8hX1bA2cD3eF4gH5iJ6kL7mN8oP9qR0sT1uV2wX3yZ4aBcM", false, "YubiKey 5 NFC, serial 11111111, slot 9d"),
			{ID: "ANe1BmK", Enabled: true, NotAfter: moment, KeyServices: []string{"https://kacls.example.com/v1"}},
		},
		Identity: &gmail.Identity{Email: ada, PrimaryKeyPairID: "ANe1BmHSTmPVKtI6fajkiF1kGRWmhTStkVjLgpQ7xZw2Nd0aYc4RbE8"},
	}
	w.press("esc", "enter").golden("user-known-to-gmail")

	fake.gmailErr = hintedError{errors.New("Gmail refuses: client-side encryption is not turned on for ada@example.com"), "turn it on for their organisational unit in the Admin console; it can take up to 24 hours"}
	w.press("esc", "enter").golden("user-refused")
	fake.gmailErr = nil
	w.press("a").shows("has 3 key pairs")

	w = withQueue(t).press("enter").typed(grace).press("enter")
	w.golden("user-waits-already")
}

// hintedError is an error that knows what to do about it.
type hintedError struct {
	error
	hint string
}

func (e hintedError) Hint() string { return e.hint }

func TestNextPersonIsMarked(t *testing.T) {
	w := withQueue(t).press("enter")
	// Whose certificate has come goes first, then whoever is to do.
	w.shows("▸ katherine@example.com")
	w.collected(desk.QueueEntry{Person: desk.Person{Email: "katherine@example.com", Serial: 56789012}, Progress: enroll.Progress{Stage: enroll.StageDone, Serial: 56789012}})
	w.press("esc", "enter").shows("▸ " + hedy)
}

func TestMarkStaysWhereItWasPut(t *testing.T) {
	entries := queueOfAll()
	w := withQueue(t).press("enter").shows("▸ katherine@")
	entries[1].Stage = enroll.StageReady
	w.collected(entries[1]).shows("▸ katherine@") // enter may be on its way
	w.press("up").shows("▸ " + hedy).queued(entries).shows("▸ " + hedy)
	w.press("esc", "enter").shows("▸ " + grace) // who comes first now
}

func TestFuzzySearchTakesTheBest(t *testing.T) {
	w := withQueue(t).press("enter").typed("hpr").press("enter").shows(grace, "23456789 was assigned")
	w.press("esc").shows("hpr")
	w.press("backspace", "backspace", "backspace").shows(ada, hedy)
}

func TestTypedAddressIsTakenWhereItIsComplete(t *testing.T) {
	fake := newFakeDesk()
	fake.people = []desk.Person{{Email: "ada@example.com"}, {Email: "ada@example.co"}}
	w := newWizard(t, fake, "").press("enter").typed("Ada@Example.com").press("enter")
	w.shows("ada@example.com")
	if got := fake.asked; len(got) != 1 || got[0] != "ada@example.com" {
		t.Errorf("asked for %v", got)
	}
	// An address that is not on the roster is taken although it resembles one.
	newWizard(t, fake, "").press("enter").typed("ad@example.com").press("enter")
	if got := fake.asked[len(fake.asked)-1]; got != "ad@example.com" {
		t.Errorf("asked for %s", got)
	}
	// The arrow goes to the roster all the same.
	newWizard(t, fake, "").press("enter").typed("ad@example.com").press("down", "enter")
	if got := fake.asked[len(fake.asked)-1]; got == "ad@example.com" {
		t.Errorf("asked for %s after the roster was chosen", got)
	}
}

func TestLateAnswerForAnotherUserIsIgnored(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").press("enter").typed(ada)
	w.hold = true
	w.press("enter")
	w.send(desk.GmailRead{Email: grace, Err: errors.New("refused")}).shows("asking Gmail").hides("refused")
	w.press("enter").on(screenUser) // not before Gmail has answered
	w.release().press("enter").on(screenCard)
}

// Enter must not take somebody who just came.
func TestTheMarkStaysOnThePersonWhenOthersCome(t *testing.T) {
	fake := newFakeDesk()
	fake.people = []desk.Person{{Email: "xxgrxx@example.com"}}
	w := newWizard(t, fake, "").press("enter").typed("gr").shows("▸ xxgrxx@example.com")
	w.collected(standing("gr@example.com", adasCard, enroll.StageWaiting)).shows("gr@example.com", "▸ xxgrxx@example.com")
	w.queued([]desk.QueueEntry{standing("grr@example.com", gracesCard, enroll.StageReady)}).shows("grr@example.com", "▸ xxgrxx@example.com")
	w.press("enter")
	if asked := fake.asked[len(fake.asked)-1]; asked != "xxgrxx@example.com" {
		t.Errorf("enter took %s", asked)
	}

	// Where nobody was marked, nobody is.
	w = newWizard(t, newFakeDesk(), "").press("enter").typed("gr")
	w.collected(standing(grace, gracesCard, enroll.StageWaiting)).shows(grace).hides("▸ ").press("enter").shows("is not a mail address")
}

// The queue shows whom a roster names and to whom cards are assigned, finds them by
// either, and serves who is parked after the others.
func TestRosterInTheQueue(t *testing.T) {
	fake := newFakeDesk()
	fake.people = []desk.Person{
		{Email: ada, Name: "Ada Lovelace", Note: "at ten", Serial: adasCard}, {Email: grace, Name: "Grace Hopper"}, {Email: "gerda@other.example", OtherDomain: true},
	}
	w := newWizard(t, fake, "").press("enter")
	w.golden("user-roster")
	w.press("enter").golden("user-roster-picked")
	w.press("p").shows("parked", "▸ "+grace)
	w.typed("lovel").press("enter").shows("name     Ada Lovelace").press("esc")
	w.press("backspace", "backspace", "backspace", "backspace", "backspace").typed("12345678").shows("▸ " + ada).hides(grace)
	// The card in the reader is somebody's.
	w.insert(adasCard).shows("in the reader: card 12345678, of " + ada)
}
