package tui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/glossary"
)

// peopleAt are people with nothing done yet.
func peopleAt(emails ...string) []desk.QueueEntry {
	var entries []desk.QueueEntry
	for _, email := range emails {
		entries = append(entries, desk.QueueEntry{Person: desk.Person{Email: email}, Progress: enroll.Progress{Stage: enroll.StageNone}})
	}
	return entries
}

// everyScreen shows the wizard on each of its screens.
func everyScreen(t *testing.T) map[string]func() *wizard {
	working := func() *wizard { return newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("secrets") }
	return map[string]func() *wizard{
		"start": func() *wizard { return newWizard(t, newFakeDesk(), "") },
		"user":  func() *wizard { return newWizard(t, newFakeDesk(), "").press("enter") },
		"gmail": func() *wizard { return newWizard(t, newFakeDesk(), "").press("enter").typed(ada).press("enter") },
		"card":  func() *wizard { return newWizard(t, newFakeDesk(), "").toCard(ada).insert(adasCard) },
		"plan":  func() *wizard { return newWizard(t, withUsedCard(), "").toPlan(ada, adasCard) },
		"work":  working,
		"pin":   func() *wizard { w := working(); w.askSecret(pinQuestion(3)); return w },
		"choice": func() *wizard {
			w := working()
			w.askChoice(enroll.Question{Text: "which?"}, enroll.Choice{ID: "a", Text: "one"}, enroll.Choice{ID: "b", Text: "another"})
			return w
		},
		"agreement": func() *wizard {
			w := working()
			w.askAgreement(enroll.Question{Text: "lose it?"}, "12345678")
			return w
		},
		"certificate": func() *wizard { return working().waitFor(waitsForFile("9d")) },
		"review":      func() *wizard { w := working(); w.askReview(reviewOf(ada)); return w },
		"done":        func() *wizard { return working().finish(receiptOf(ada, adasCard), nil) },
		"failure":     func() *wizard { return working().fail("import", errNoRoom) },
	}
}

func TestFrameViews(t *testing.T) {
	for name, show := range everyScreen(t) {
		t.Run(name, func(t *testing.T) { show().press("f1").golden("help-" + name) })
	}
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("generate").press("ctrl+c")
	w.golden("leaving-asked")
	w.press("esc").golden("leaving-back")

	w.size(60, 20)
	golden(t, "too-small", "60x20", w.view()+"\n")

	fake := newFakeDesk()
	fake.practice = &fakePractice{}
	w = newWizard(t, fake, "").toCard(ada).insert().press("ctrl+o")
	w.golden("practice")
}

func TestHelpOpensAndClosesEverywhere(t *testing.T) {
	for name, show := range everyScreen(t) {
		t.Run(name, func(t *testing.T) {
			w := show()
			before := w.view()
			w.press("f1").shows("This screen", "ctrl+c").press("esc")
			if w.view() != before {
				t.Errorf("another view after help:\n%s", w.view())
			}
			if !w.model.screens[w.model.at].typing(w.model.session) {
				w.press("?").shows("This screen").press("?").hides("This screen")
			}
		})
	}
}

// What the words mean is behind the help of the start, to its end.
func TestHelpOfTheStartSaysWhatTheWordsMean(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").press("?").shows("This screen")
	shown := w.view()
	for range 12 {
		shown += w.press("pgdown").view()
	}
	for _, term := range glossary.Terms() {
		if !strings.Contains(shown, term.Name+" ") {
			t.Errorf("%q is not explained", term.Name)
		}
	}
	w.press("pgup").shows("↓ more: pgdn").press("esc").on(screenStart).shows("Press enter to")
	newWizard(t, newFakeDesk(), "").press("enter", "f1").hides("Words")
}

func TestHelpMakesWayForAQuestion(t *testing.T) {
	w := everyScreen(t)["work"]().press("?").shows("This screen")
	w.askSecret(pinQuestion(3))
	w.hides("This screen").shows("Hand the keyboard to the user.")
}

func TestWindowIsResizedEverywhere(t *testing.T) {
	for name, show := range everyScreen(t) {
		t.Run(name, func(t *testing.T) {
			w := show()
			before := w.view()
			for _, size := range []struct{ columns, lines int }{{79, 24}, {80, 23}, {20, 5}, {1, 1}, {0, 0}, {200, 60}, {81, 25}, {132, 24}} {
				w.size(size.columns, size.lines)
			}
			w.size(60, 20).shows("This window has 60 columns and 20 lines", "Nothing is lost.")
			if w.size(minWidth, minHeight); w.view() != before {
				t.Errorf("another view after resizing:\n%s", w.view())
			}
		})
	}
}

func TestKeysDoNothingUnseen(t *testing.T) {
	for name, show := range everyScreen(t) {
		t.Run(name, func(t *testing.T) {
			w := show()
			before, at := w.view(), w.model.at
			w.size(60, 20).press("enter", "a", "p", "esc", "?", "q").size(minWidth, minHeight).on(at)
			if w.view() != before || w.quit {
				t.Errorf("another view after keys that nobody saw:\n%s", w.view())
			}
			if w.size(60, 20).press("ctrl+c", "ctrl+c"); !w.quit && w.model.leaving != leavingQuit {
				t.Error("it cannot be ended")
			}
		})
	}
}

func TestViewIsTheSameWithoutColoursAndOnLight(t *testing.T) {
	for name, show := range everyScreen(t) {
		t.Run(name, func(t *testing.T) {
			w := show()
			dark := w.view()
			w.send(tea.BackgroundColorMsg{Color: lightGrey{}})
			if w.view() != dark {
				t.Errorf("another text on a light background:\n%s", w.view())
			}
		})
	}
}

// lightGrey is the background of a light terminal.
type lightGrey struct{}

func (lightGrey) RGBA() (r, g, b, a uint32) { return 0xeeee, 0xeeee, 0xeeee, 0xffff }
