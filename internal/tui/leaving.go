package tui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
)

// leaving is how far the wizard is with ending while an enrollment runs.
type leaving int

const (
	leavingNot   leaving = iota
	leavingAsked         // whether to stop the running step
	leavingBack          // stopping, then back to the plan
	leavingQuit          // stopping, then the end
)

// askToLeave ends the wizard, after a question where an enrollment runs.
func (m *Model) askToLeave() tea.Cmd {
	if !m.session.Run.Active() {
		return m.tell(desk.Stop)
	}
	m.leaving = leavingAsked
	return nil
}

func (m *Model) pressLeaving(msg tea.KeyPressMsg) tea.Cmd {
	keys := m.session.keys
	switch {
	case key.Matches(msg, keys.Quit):
		m.leaving = leavingQuit
	case key.Matches(msg, keys.Back):
		m.leaving = leavingBack
	case key.Matches(msg, keys.Next):
		m.leaving = leavingNot
		return nil
	default:
		return nil
	}
	m.session.cancel()
	return nil
}
