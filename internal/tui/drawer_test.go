package tui

import (
	"errors"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/smime"
)

// withPractice is a wizard on the practice lab.
func withPractice(t *testing.T) (*wizard, *fakePractice) {
	fake, practice := newFakeDesk(), &fakePractice{}
	fake.practice = practice
	return newWizard(t, fake, ""), practice
}

func TestDrawerDoesWhatIsChosen(t *testing.T) {
	w, practice := withPractice(t)
	w.shows("ctrl+o practice").press("ctrl+o").shows("▸ pull the card out")
	w.press("down", "down", "down", "up", "enter").hides("drawer")
	if !slices.Equal(practice.did, []string{"new 0"}) {
		t.Errorf("did %v", practice.did)
	}
	w.press("ctrl+o").shows("▸ pull the card out").press("esc").hides("drawer").press("ctrl+o", "ctrl+o").hides("drawer")
	if len(practice.did) != 1 {
		t.Errorf("did %v", practice.did)
	}
}

func TestDrawerSaysWhatWentWrong(t *testing.T) {
	w, practice := withPractice(t)
	practice.err = errors.New("the card is in another reader")
	w.press("ctrl+o", "enter").shows("The drawer of practice cards", "the card is in another reader").golden("practice-failed")
}

func TestDrawerOpensOverEveryScreenThatRuns(t *testing.T) {
	w, _ := withPractice(t)
	w.toWork(ada, adasCard).upTo("secrets")
	reply := w.askSecret(pinQuestion(3))
	w.typed("7391").press("ctrl+o").shows("drawer").press("esc").on(screenPIN).typed("4628").press("enter")
	if got, given := answered(reply); !given || string(got.value.Reveal()) != canaryPIN {
		t.Error("what was typed before was lost")
	}
}

func TestNoDrawerWithRealCards(t *testing.T) {
	newWizard(t, newFakeDesk(), "").press("ctrl+o").hides("drawer", "ctrl+o")
}

// That it is practice is said where an operator begins, and what follows from it where
// warnings are read.
func TestPracticeIsSaid(t *testing.T) {
	w, _ := withPractice(t)
	w.golden("start-practice")
	w.toWork(ada, adasCard).upTo("review")
	w.askReview(reviewOf(ada))
	w.hides("are expected")
	warned := reviewOf(ada)
	warned.Keys[0].Findings = []smime.Finding{{ID: "leaf-crl-public", Severity: smime.SeverityWarning, Message: "its CRL at http://127.0.0.1:8440/ca.crl cannot be reached from the internet", Certificate: "leaf"}}
	w.askReview(warned)
	w.golden("review-practice")

	w = newWizard(t, newFakeDesk(), "").hides("practice")
	w.toWork(ada, adasCard).upTo("review").askReview(warned)
	w.hides("are expected")
}
