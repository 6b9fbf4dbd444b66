package desk_test

import (
	"errors"
	"testing"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// TestProfileIsChosenFirst: with several enrollment profiles nothing is looked at before one is
// followed; then everybody is served as it says, and the plan leaves no choice of what it fixes.
func TestProfileIsChosenFirst(t *testing.T) {
	profiles := []enroll.Choice{{ID: "staff", Text: "staff"}, {ID: "vip", Text: "vip"}}
	talk, effects := desk.NewConversation(enroll.Request{Keys: keys}, false, profiles...)
	if talk.Phase != desk.PhaseProfile || len(effects) != 0 {
		t.Fatalf("begins in %s with %v", talk.Phase, effects)
	}
	if effects := talk.Take(desk.GoOn); talk.Phase != desk.PhaseProfile || len(effects) != 0 {
		t.Errorf("goes on without a choice: %s, %v", talk.Phase, effects)
	}
	follow := func(name string) {
		t.Helper()
		effects := talk.Take(desk.ProfileChosen{Name: name})
		if len(effects) != 1 || effects[0] != (desk.UseProfile{Name: name}) {
			t.Fatalf("choosing %s: %v", name, effects)
		}
		if again := talk.Take(desk.ProfileChosen{Name: name}); len(again) != 0 {
			t.Errorf("twice: %v", again)
		}
	}
	follow("vip")
	broken := errors.New("no such CA")
	if effects := talk.Take(desk.ProfileUsed{Err: broken}); len(effects) != 0 || talk.Phase != desk.PhaseProfile || !errors.Is(talk.Problem, broken) {
		t.Errorf("a profile that cannot be followed: %s, %v", talk.Phase, talk.Problem)
	}
	follow("staff")
	request := enroll.Request{Keys: enroll.LayoutSingle.Keys(enroll.KeyRequest{
		Slot: piv.SlotSignature, Source: enroll.SourceGenerate, Algorithm: piv.ECCP256, PINPolicy: piv.PINAlways, TouchPolicy: piv.TouchDefault,
	}), Profile: &enroll.Profile{Name: "staff", Slot: piv.SlotSignature, Algorithm: piv.ECCP256, PINPolicy: piv.PINAlways}}
	effects = talk.Take(desk.ProfileUsed{Request: request})
	if talk.Phase != desk.PhaseStart || talk.Problem != nil || len(effects) != 3 {
		t.Fatalf("then: %s, %v, %v", talk.Phase, talk.Problem, effects)
	}

	p := &played{Conversation: talk, cards: map[uint32]desk.CardStatus{adas: cardOf(adas)}}
	p.entry.Stage = enroll.StageNone
	p.answer(effects)
	p.fold(in(adas), desk.GoOn, desk.Picked{Person: desk.Person{Email: ada}}, desk.GoOn, desk.GoOn)
	if p.Phase != desk.PhasePlan {
		t.Fatalf("in %s", p.Phase)
	}
	for _, question := range p.Plan.Questions {
		fixed := request.Profile.Fixed(question.Option)
		switch {
		case fixed == "" && len(question.Choices) < 2:
			t.Errorf("no choice of %s", question.Option)
		case fixed != "" && (len(question.Choices) != 1 || question.Choices[0].ID != fixed):
			t.Errorf("%s: %v, want %s alone", question.Option, question.Choices, fixed)
		}
	}
	p.fold(desk.KeyChosen{Option: enroll.OptionAlgorithm, ID: "rsa2048"})
	if got := p.PlannedRequest(); got.Keys[0].Algorithm != piv.ECCP256 || got.Profile == nil || got.Profile.Name != "staff" {
		t.Errorf("is planned: %+v", got)
	}
}
