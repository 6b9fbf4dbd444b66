package tui

import (
	"fmt"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cse-piv/cse-piv/internal/desk"
)

// everybody lists the indexes of all entries.
func everybody(entries []desk.QueueEntry) []int {
	all := make([]int, len(entries))
	for i := range all {
		all[i] = i
	}
	return all
}

// queueRows draws people of the queue, one a line; the selected one is marked.
func queueRows(s *session, indexes []int, selected, width int) []string {
	column := 0
	for _, entry := range s.Entries {
		column = max(column, lipgloss.Width(clean(entry.Email)))
	}
	column = min(column, width*3/8)
	var rows []string
	for n, i := range indexes {
		entry := s.Entries[i]
		pointer, name := "  ", s.styles.Value
		if n == selected {
			pointer, name = s.styles.Selected.Render(markNow+" "), s.styles.Selected
		}
		row := pointer + name.Render(fmt.Sprintf("%-*s", column, ansi.Truncate(clean(entry.Email), column, "…"))) + " " + stageText(s, entry)
		for _, about := range s.About(entry) {
			row += s.styles.Faint.Render("  " + clean(about))
		}
		rows = append(rows, ansi.Truncate(row, width, "…"))
	}
	return rows
}

// stageText says how far a person is, in a word with a mark.
func stageText(s *session, entry desk.QueueEntry) string {
	return valueText(s, s.Standing(entry))
}
