package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
)

// drawer is the drawer of practice cards: what a trainee does to them with one
// key is what hands do to real ones.
type drawer struct {
	open   bool
	acts   []desk.Act
	cursor int
	said   string
}

// show opens the drawer. What could be done when it was last open is forgotten:
// enter must not do another thing than the one that is shown a moment later.
func (d *drawer) show(s *session) tea.Cmd {
	d.open, d.acts, d.said, d.cursor = true, nil, "", 0
	return s.commands.acts()
}

func (d *drawer) bindings(s *session) []key.Binding {
	return []key.Binding{named(s.keys.Next, "do it"), s.keys.Up, s.keys.Down, named(s.keys.Back, "close")}
}

func (d *drawer) update(s *session, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case actsMsg:
		d.acts = msg.acts
		d.cursor = min(d.cursor, max(0, len(d.acts)-1))
	case actedMsg:
		if msg.err != nil {
			d.open, d.said = true, clean(msg.err.Error())
		}
		if d.open {
			return s.commands.acts()
		}
	}
	return nil
}

func (d *drawer) press(s *session, msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(msg, s.keys.Back), key.Matches(msg, s.keys.Practice):
		d.open = false
	case key.Matches(msg, s.keys.Up):
		d.cursor = max(0, d.cursor-1)
	case key.Matches(msg, s.keys.Down):
		d.cursor = min(max(0, len(d.acts)-1), d.cursor+1)
	case key.Matches(msg, s.keys.Next) && d.cursor < len(d.acts):
		d.open = false
		return s.commands.act(d.acts[d.cursor].ID)
	}
	return nil
}

func (d *drawer) view(s *session, height int) string {
	lines := []string{"", s.styles.Title.Render("The drawer of practice cards"), ""}
	if d.said != "" {
		lines = append(lines, s.styles.Faint.Render(d.said), "")
	}
	var acts []string
	for i, act := range d.acts {
		pointer, style := "  ", s.styles.Value
		if i == d.cursor {
			pointer, style = markNow+" ", s.styles.Selected
		}
		acts = append(acts, style.Render(pointer+clean(act.Title)))
	}
	return strings.Join(append(lines, around(acts, d.cursor, height-len(lines))...), "\n")
}
