package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
)

// menuScreen lists what else can be done, and what each loses.
type menuScreen struct {
	menu   *desk.Menu // that the cursor is for
	cursor int
}

func (*menuScreen) enter(*session)       {}
func (*menuScreen) typing(*session) bool { return false }

func (*menuScreen) bindings(s *session) []key.Binding {
	return []key.Binding{named(s.keys.Next, "choose"), s.keys.Up, s.keys.Down, s.keys.Back}
}

func (m *menuScreen) update(s *session, msg tea.Msg) tea.Cmd {
	press, ok := msg.(tea.KeyPressMsg)
	if m.menu != s.Menu {
		m.menu, m.cursor = s.Menu, 0
	}
	switch {
	case !ok:
	case key.Matches(press, s.keys.Up):
		m.cursor = max(0, m.cursor-1)
	case key.Matches(press, s.keys.Down):
		m.cursor = min(len(m.menu.Choices)-1, m.cursor+1)
	case key.Matches(press, s.keys.Next):
		return s.tell(desk.MenuChosen{At: m.cursor})
	case key.Matches(press, s.keys.Back):
		return s.tell(desk.Back)
	}
	return nil
}

func (m *menuScreen) view(s *session, width, height int) string {
	cursor := m.cursor
	if m.menu != s.Menu {
		cursor = 0
	}
	var lines []string
	marked := 0
	for i, choice := range s.Menu.Choices {
		pointer, style := " ", s.styles.Value
		if i == cursor {
			pointer, style, marked = markNow, s.styles.Selected, len(lines)
		}
		value := s.MenuText(choice)
		lines = append(lines, style.Render(pointer+" "+clean(value.Label)))
		for _, line := range wrapped("   ", clean(value.Text), width) {
			lines = append(lines, s.styles.Faint.Render(line))
		}
	}
	above := []string{"", s.styles.Title.Render(sentence(clean(s.MenuQuestion()))), ""}
	return strings.Join(append(above, around(lines, marked, height-len(above))...), "\n")
}

// sentence begins with a capital letter.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
