package tui

import (
	"testing"

	tea "charm.land/bubbletea/v2"
)

func TestBackLosesNothingThatWasTyped(t *testing.T) {
	w := newWizard(t, withUsedCard(), "").press("enter").typed("ada@exa")
	w.press("esc").on(screenStart).press("enter").shows("ada@exa")
	w.typed("mple.com").press("enter").shows("has no key pair").press("esc").shows("address  " + ada)
	w.press("enter", "enter").on(screenCard).insert(adasCard)
	w.press("esc").on(screenUser).shows("address  "+ada).press("enter", "enter").on(screenCard).shows("serial 12345678")
	w.press("enter").on(screenPlan).press("down", "down", "right").shows("9A authentication")
	w.press("esc", "esc", "esc", "enter", "enter", "enter", "enter").on(screenPlan).shows("9A authentication")
}

func TestAnotherPersonBeginsAnew(t *testing.T) {
	w := newWizard(t, withUsedCard(), "").toPlan(ada, adasCard).press("down", "down", "right").shows("9A authentication")
	w.press("esc", "esc")
	for range ada {
		w.press("backspace")
	}
	w.typed(grace).press("enter", "enter", "enter").on(screenPlan).shows("9D key management").hides("9A authentication")
}

func TestPasteGoesWhereItIsSeen(t *testing.T) {
	paste := tea.PasteMsg{Content: ada + "\n"}
	w := newWizard(t, newFakeDesk(), "").press("enter").send(paste).shows("address  " + ada)
	if w.model.at != screenUser {
		t.Error("a line break in what was pasted was taken for enter")
	}
	w = newWizard(t, newFakeDesk(), "").press("enter", "f1").send(paste).press("esc").hides(ada)
	w.size(40, 10).send(paste).size(80, 24).hides(ada)
	w.toCard(grace).send(paste).on(screenCard).hides(ada)
	// Agreement to a loss is typed, not pasted.
	w = newWizard(t, withUsedCard(), "").toPlan(ada, adasCard)
	w.send(tea.PasteMsg{Content: "12345678"}).press("enter").on(screenPlan)
}
