package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/describe"
)

// doneScreen is the short receipt.
type doneScreen struct{ copied bool }

func (d *doneScreen) enter(*session)     { d.copied = false }
func (*doneScreen) typing(*session) bool { return false }

func (*doneScreen) bindings(s *session) []key.Binding {
	task := s.Run != nil && s.Run.Task != nil
	bindings := []key.Binding{named(s.keys.Next, "next person"), s.keys.End}
	switch {
	case task && s.GoesOn():
		bindings[0] = named(s.keys.Next, "back to the card")
	case s.Single:
		bindings = []key.Binding{named(s.keys.Next, "end")}
	}
	if !task {
		bindings = append(bindings, s.keys.Copy)
	}
	return bindings
}

func (d *doneScreen) update(s *session, msg tea.Msg) tea.Cmd {
	if press, ok := msg.(tea.KeyPressMsg); ok && key.Matches(press, s.keys.Copy) && s.Run != nil && s.Run.Receipt != nil {
		return copyText(s.Run.Receipt.Evidence, &d.copied)
	}
	return s.act(msg, d.bindings(s))
}

// task shows what a task came to.
func (*doneScreen) task(s *session, width int) string {
	lines := append([]string{"", s.styles.OK.Render(fmt.Sprintf("%s done: %s", markOK, clean(s.Run.Task.Title())))}, ranLines(s, width)...)
	for i, note := range s.Run.Notes {
		if i == 0 {
			lines = append(lines, "")
		}
		lines = append(lines, wrapped(s.styles.Faint.Render("note"), s.styles.Faint.Render(clean(note)), width)...)
	}
	return strings.Join(lines, "\n")
}

// ranLines say what else was done than an enrollment.
func ranLines(s *session, width int) (lines []string) {
	for i, text := range s.Run.Lines {
		if i == 0 {
			lines = append(lines, "")
		}
		lines = append(lines, wrapped("-", clean(text), width)...)
	}
	return lines
}

func (d *doneScreen) view(s *session, width, _ int) string {
	if s.Run != nil && s.Run.Task != nil {
		return d.task(s, width)
	}
	if s.Run == nil || s.Run.Receipt == nil {
		return ""
	}
	values := describe.ShortReceipt(s.Run.Receipt)
	lines := []string{"", s.styles.OK.Render(fmt.Sprintf("%s %s %s.", markOK, clean(values[0].Label), values[0].Text)), ""}
	lines = append(lines, valueLines(s, values[1:], width)...)
	lines = append(lines, ranLines(s, width)...)
	if d.copied {
		lines = append(lines, "", s.styles.Faint.Render(copiedText))
	}
	if !s.commands.desk.Own {
		lines = append(lines, "", "The card can be given to its user.")
	}
	return strings.Join(lines, "\n")
}
