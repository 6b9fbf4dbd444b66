package tui

import (
	"fmt"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/enroll"
)

// messages runs the commands that were held back, and returns what they say.
func (w *wizard) messages() (all []tea.Msg) {
	var visit func(tea.Cmd)
	visit = func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		msg := cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for _, inner := range batch {
				visit(inner)
			}
			return
		}
		all = append(all, msg)
	}
	for _, cmd := range w.held {
		visit(cmd)
	}
	w.held = nil
	return all
}

// TestPathIsCopied: where a path is shown, a key puts it into the terminal's clipboard.
func TestPathIsCopied(t *testing.T) {
	w := newWizard(t, newFakeDesk(), "").toWork(ada, adasCard).upTo("record")
	receipt := receiptOf(ada, adasCard)
	w.finish(receipt, nil).on(screenDone).hides(copiedText)
	w.hold = true
	w.press("y")
	said := w.messages()
	if len(said) != 1 || fmt.Sprint(said[0]) != receipt.Evidence || receipt.Evidence == "" {
		t.Errorf("%q was copied, want %q", said, receipt.Evidence)
	}
	w.shows(copiedText)
}

// TestBellForATouch: once, and only where that is asked for.
func TestBellForATouch(t *testing.T) {
	for _, bell := range []bool{false, true} {
		d := newFakeDesk()
		w := newWizard(t, d, "").toWork(ada, adasCard).upTo("prove-possession")
		w.model.session.commands.desk.Bell = bell
		w.hold = true
		rings := 0
		for _, state := range []enroll.State{enroll.StateTouch, enroll.StateTouch, enroll.StateTouched} {
			w.event("prove-possession", state, "the key in slot 9d waits for a touch")
			for _, msg := range w.messages() {
				if raw, ok := msg.(tea.RawMsg); ok && raw.Msg == "\a" {
					rings++
				}
			}
		}
		if want := map[bool]int{true: 1}[bell]; rings != want {
			t.Errorf("bell %v: it rang %d times", bell, rings)
		}
	}
}
