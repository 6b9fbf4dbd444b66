package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
)

// profileScreen has one of several enrollment profiles chosen.
type profileScreen struct{ cursor int }

func (*profileScreen) enter(*session)       {}
func (*profileScreen) typing(*session) bool { return false }

func (*profileScreen) bindings(s *session) []key.Binding {
	return []key.Binding{named(s.keys.Next, "choose"), s.keys.Up, s.keys.Down, s.keys.End}
}

func (p *profileScreen) update(s *session, msg tea.Msg) tea.Cmd {
	press, ok := msg.(tea.KeyPressMsg)
	switch {
	case !ok:
	case key.Matches(press, s.keys.Up):
		p.cursor = max(0, p.cursor-1)
	case key.Matches(press, s.keys.Down):
		p.cursor = min(len(s.Profiles)-1, p.cursor+1)
	case key.Matches(press, s.keys.Next):
		return s.tell(desk.ProfileChosen{Name: s.Profiles[p.cursor].ID})
	default:
		return s.act(msg, []key.Binding{s.keys.End})
	}
	return nil
}

func (p *profileScreen) view(s *session, width, _ int) string {
	lines := []string{"", s.styles.Title.Render("Which enrollment profile?"), ""}
	for i, choice := range s.Profiles {
		pointer, style := "  ", s.styles.Value
		if i == p.cursor {
			pointer, style = markNow+" ", s.styles.Selected
		}
		for _, line := range paragraph(clean(choice.Text), width-len(markNow)) {
			lines = append(lines, style.Render(pointer+line))
			pointer = "  "
		}
	}
	lines = append(lines, "")
	lines = append(lines, paragraph("It says what every card and its keys have to be like, until the program ends.", width)...)
	if s.Problem != nil {
		why := s.explain(s.Problem)
		lines = append(append(lines, "", s.styles.Bad.Render(markBad+" It cannot be followed:")), wrapped("why  ", why.text, width)...)
		if why.hint != "" {
			lines = append(lines, wrapped("hint ", why.hint, width)...)
		}
	}
	return strings.Join(lines, "\n")
}
