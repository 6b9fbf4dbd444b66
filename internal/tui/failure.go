package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/describe"
)

// failureScreen says what failed, why, and what to do.
type failureScreen struct{}

func (*failureScreen) enter(*session)       {}
func (*failureScreen) typing(*session) bool { return false }

func (*failureScreen) bindings(s *session) []key.Binding {
	if s.Run != nil && s.Run.Task != nil {
		return []key.Binding{s.keys.Again, s.keys.Back, named(s.keys.Park, parkText(s))}
	}
	return []key.Binding{s.keys.Again, named(s.keys.Back, "back to the plan"), named(s.keys.Park, parkText(s))}
}

func (f *failureScreen) update(s *session, msg tea.Msg) tea.Cmd { return s.act(msg, f.bindings(s)) }

func (*failureScreen) view(s *session, width, _ int) string {
	if s.Run == nil || s.Run.Err == nil {
		return ""
	}
	what, why := s.explainStep(s.Run.Err)
	lines := []string{"", s.styles.Bad.Render(markBad + " Failed: " + what), ""}
	lines = append(lines, wrapped("why  ", why.text, width)...)
	if why.hint != "" {
		lines = append(lines, wrapped("hint ", why.hint, width)...)
	}
	lines = append(lines, "")
	lines = append(lines, paragraph("What was done before stays done. Trying again looks at every step first and goes on where it was.", width)...)
	entry, _ := s.Entry(s.Person.Email)
	if factory := describe.FactoryManagementKey(entry.Progress); len(factory) > 0 {
		lines = append(append(lines, ""), valueLines(s, factory, width)...)
	}
	return strings.Join(lines, "\n")
}
