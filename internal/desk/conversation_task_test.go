package desk_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/status"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// TestMenuReplaces: a new card is asked for, not the one before, and what it takes the place of is
// remembered while the person waits, until it is done.
func TestMenuReplaces(t *testing.T) {
	p := play(enroll.Request{Keys: keys}, false).fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard},
		desk.More, desk.MenuChosen{At: 2})
	if p.Phase != desk.PhaseMenu || len(p.Menu.Choices) != len(termination.ReplaceReasons()) {
		t.Fatalf("phase %s, %+v", p.Phase, p.Menu)
	}
	p.fold(desk.MenuChosen{At: 0}, in(adas))
	if p.Phase != desk.PhaseCard || p.Replaces() != termination.ReasonLost || p.Ready() || !p.Former(adas) {
		t.Fatalf("with the card of before: %s, ready %v", p.Phase, p.Ready())
	}
	if p.fold(desk.GoOn); p.Phase != desk.PhaseCard {
		t.Fatalf("the card of before is taken: %s", p.Phase)
	}
	p.fold(in(graces), desk.GoOn, ended{}, desk.GoOn)
	p.begun = p.begun[1:] // but the question for copies of old keys
	if p.Phase != desk.PhaseWork || p.begun[0].Request.Replaces.Reason != termination.ReasonLost || p.begun[0].Request.Serial != graces {
		t.Fatalf("phase %s, begun %+v", p.Phase, p.begun)
	}
	p.fold(ended{err: errWaits}, desk.Park)
	if p.Replaces() != "" {
		t.Errorf("of the next person: %s", p.Replaces())
	}
	p.fold(picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard}, desk.GoOn)
	if p.Phase != desk.PhaseCertificate || p.Replaces() != termination.ReasonLost {
		t.Fatalf("phase %s, %s", p.Phase, p.Replaces())
	}
	p.fold(enroll.StageReady, desk.GoOn, in(graces), desk.GoOn, desk.GoOn)
	if len(p.begun) != 2 || p.begun[1].Request.Replaces.Reason != termination.ReasonLost {
		t.Fatalf("phase %s, begun %+v", p.Phase, p.begun)
	}
	p.fold(ended{}, desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard}, desk.GoOn)
	if p.Replaces() != "" {
		t.Errorf("after it was done: %s", p.Replaces())
	}
}

// TestCopiesAreAsked: who gets another card for one that cannot be read with any more is asked for copies of
// the old keys before the plan, which has them; a no, a failure and the other reasons are in nobody's way.
func TestCopiesAreAsked(t *testing.T) {
	chosen := func(reason int) *played {
		return play(enroll.Request{Keys: keys}, false).fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard},
			desk.More, desk.MenuChosen{At: 2}, desk.MenuChosen{At: reason}, in(graces), desk.GoOn)
	}
	asks := func(p *played) bool { return p.Phase == desk.PhaseWork && p.Run.Task != nil && p.Run.Task.Copies }
	copies := []enroll.KeyCopy{{Slot: piv.SlotRetiredFirst}}
	for at, reason := range termination.ReplaceReasons() {
		p := chosen(at)
		if want := slices.Contains(termination.LossReasons(), reason); asks(p) != want {
			t.Fatalf("%s: asks %v, in %s", reason, asks(p), p.Phase)
		} else if !want {
			continue
		}
		p.fold(ended{stopped: true})
		if p.Phase != desk.PhaseCard || len(p.Request.Copies) != 0 {
			t.Fatalf("after a stop: %s", p.Phase)
		}
		if p.fold(desk.GoOn, ended{err: errRefused}); p.Phase != desk.PhaseFailure {
			t.Fatalf("after a failure: %s", p.Phase)
		}
		if p.fold(desk.Again); !asks(p) {
			t.Fatalf("again: %s", p.Phase)
		}
		if p.fold(ended{err: errRefused}, desk.Back); p.Phase != desk.PhaseCard {
			t.Fatalf("back: %s", p.Phase)
		}
		p.fold(desk.GoOn, ended{copies: copies})
		if p.Phase != desk.PhasePlan || len(p.Request.Copies) != 1 || p.Failures.Has(ada) {
			t.Fatalf("with copies: %s, %+v, %v", p.Phase, p.Request.Copies, p.Failures)
		}
		p.fold(desk.Back, desk.GoOn) // they are there
		if p.Phase != desk.PhasePlan {
			t.Fatalf("once more: %s", p.Phase)
		}
		p.fold(desk.GoOn)
		if last := p.begun[len(p.begun)-1]; p.Phase != desk.PhaseWork || last.Task != nil || len(last.Request.Copies) != 1 {
			t.Errorf("%s, begun %+v", p.Phase, last)
		}
	}
	p := play(enroll.Request{Keys: keys}, false)
	p.entry.Stage, p.entry.Progress.Serial, p.entry.Copies = enroll.StageBegun, graces, true
	p.entry.Replaces = &enroll.Replacement{Reason: termination.ReasonStolen, Cards: []uint32{adas}}
	if p.fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard}, desk.GoOn, in(graces), desk.GoOn); !asks(p) {
		t.Errorf("another day: %s", p.Phase)
	}
}

// TestReplacementGoesOn: a desk that is begun anew knows from the evidence which card is replaced, and why.
// The one that is replaced is not to be taken, whichever way.
func TestReplacementGoesOn(t *testing.T) {
	p := play(enroll.Request{Keys: keys}, false)
	p.entry.Stage, p.entry.Progress.Serial = enroll.StageBegun, graces
	p.entry.Replaces = &enroll.Replacement{Reason: termination.ReasonStolen, Cards: []uint32{adas}}
	p.fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard}, desk.GoOn, in(adas))
	if p.Phase != desk.PhaseCard || p.Purpose() != "another card in the place of the present one: stolen" || !p.Former(adas) || p.Doubtful() {
		t.Fatalf("phase %s, %q, doubtful %v", p.Phase, p.Purpose(), p.Doubtful())
	}
	if p.fold(desk.TakeAnyway, desk.GoOn); p.Phase != desk.PhaseCard {
		t.Errorf("the card of before is taken: %s", p.Phase)
	}
	if p.fold(desk.Park); p.Failures.Of(ada) == nil || !strings.Contains(p.Failures.Of(ada).Error(), "Gmail still uses card") {
		t.Errorf("left for later: %v", p.Failures.Of(ada))
	}
	p.fold(picked(ada), desk.GmailRead{Email: ada, AtGmail: hasCard}, desk.GoOn, in(graces), desk.GoOn, desk.GoOn)
	if len(p.begun) != 1 || p.begun[0].Request.Replaces == nil || p.begun[0].Request.Replaces.Reason != termination.ReasonStolen {
		t.Fatalf("phase %s, begun %+v", p.Phase, p.begun)
	}
}

// TestReplacementOfTheCardBefore: who was enrolled with another card already has that one replaced, and the
// present card is taken for the new one where a person says so.
func TestReplacementOfTheCardBefore(t *testing.T) {
	p := play(enroll.Request{Keys: keys}, false)
	p.entry.Stage, p.entry.Progress.Serial, p.entry.Before = enroll.StageDone, adas, []string{"former"}
	gmailHas := hasCard
	gmailHas.KeyPairs = append(slices.Clone(gmailHas.KeyPairs), gmail.KeyPair{ID: "former", HardwareDescriptions: []string{registered.Description("YubiKey 5 NFC", graces, "9d")}})
	p.fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: gmailHas}, desk.More)
	at := slices.IndexFunc(p.Menu.Choices, func(choice desk.MenuChoice) bool { return choice.Command == status.CommandReplace })
	p.fold(desk.MenuChosen{At: at}, desk.MenuChosen{At: 0}, in(adas))
	if !p.Former(adas) || !p.Doubtful() || p.Ready() {
		t.Fatalf("former %v, doubtful %v, ready %v", p.Former(adas), p.Doubtful(), p.Ready())
	}
	p.fold(desk.TakeAnyway)
	if p.Former(adas) || !p.Former(graces) || !p.Ready() {
		t.Errorf("former %v, %v, ready %v", p.Former(adas), p.Former(graces), p.Ready())
	}
}

// TestATaskPutsItsOwnFailureRight: that something else failed for the person stays so.
func TestATaskPutsItsOwnFailureRight(t *testing.T) {
	p := play(enroll.Request{Keys: keys}, false).fold(toWork...).fold(ended{err: errRefused}, desk.Back, desk.Back)
	card := cardOf(adas)
	card.Status.PIN, card.Status.PUK.Tries = piv.Counter{Tries: 3, Factory: piv.No}, 3
	p.cards[adas] = card
	p.fold(in(), in(adas), desk.More, desk.MenuChosen{At: 0}, ended{})
	if p.Phase != desk.PhaseDone || !errors.Is(p.Failures.Of(ada), errRefused) {
		t.Errorf("phase %s, %v", p.Phase, p.Failures.Of(ada))
	}
}

// TestAfterATask: who is enrolled goes, and who is not goes on with the card.
func TestAfterATask(t *testing.T) {
	for stage, want := range map[enroll.Stage]desk.Phase{enroll.StageNone: desk.PhaseCard, enroll.StageDone: desk.PhaseUser} {
		p := play(enroll.Request{Keys: keys}, false)
		card := cardOf(adas)
		card.Status.PIN, card.Status.PUK.Tries = piv.Counter{Tries: 3, Factory: piv.No}, 3
		p.cards[adas], p.entry.Stage = card, stage
		p.fold(desk.GoOn, picked(ada), desk.GmailRead{Email: ada, AtGmail: hasIdentity}, desk.GoOn, in(adas), desk.More, desk.MenuChosen{At: 0}, ended{})
		if p.Phase != desk.PhaseDone || len(p.Tasks) != 1 || p.GoesOn() != (want == desk.PhaseCard) {
			t.Fatalf("%s: %s, %+v", stage, p.Phase, p.Tasks)
		}
		if p.fold(desk.GoOn); p.Phase != want {
			t.Errorf("%s: %s, want %s", stage, p.Phase, want)
		}
	}
}
