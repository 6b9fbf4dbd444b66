package tui

import (
	"errors"
	"fmt"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// everybody lists the indexes of all places.
func everybody(places []desk.Place) []int {
	all := make([]int, len(places))
	for i := range all {
		all[i] = i
	}
	return all
}

// queueRows draws people of the queue, one a line; the selected one is marked.
func queueRows(s *session, indexes []int, selected, width int) []string {
	column := 0
	for _, place := range s.places {
		column = max(column, lipgloss.Width(clean(place.Email)))
	}
	column = min(column, width*3/8)
	var rows []string
	for n, i := range indexes {
		place := s.places[i]
		pointer, name := "  ", s.styles.Value
		if n == selected {
			pointer, name = s.styles.Selected.Render(markNow+" "), s.styles.Selected
		}
		row := pointer + name.Render(fmt.Sprintf("%-*s", column, ansi.Truncate(clean(place.Email), column, "…"))) + " " + standingText(s, place)
		if max(place.Person.Serial, place.Standing.Serial) != 0 {
			row += s.styles.Faint.Render(fmt.Sprintf("  card %d", max(place.Person.Serial, place.Standing.Serial)))
		}
		if place.Note != "" {
			row += s.styles.Faint.Render("  " + clean(place.Note))
		}
		rows = append(rows, ansi.Truncate(row, width, "…"))
	}
	return rows
}

// standingText says how far a person is, in a word with a mark.
func standingText(s *session, place desk.Place) string {
	if failure := s.failures.Of(place.Email); failure != nil && place.Stage != enroll.StageDone {
		if errors.Is(failure, enroll.ErrDeclined) {
			return s.styles.Warning.Render(markWarning + " declined, not finished")
		}
		return s.styles.Bad.Render(markBad + " failed: " + clean(failure.Error()))
	}
	if place.Problem != nil {
		return s.styles.Bad.Render(markBad + " " + clean(place.Problem.Error()))
	}
	switch place.Stage {
	case enroll.StageDone:
		text := markOK + " done " + place.When.Local().Format(time.DateOnly)
		if place.By != "" {
			text += " by " + clean(place.By)
		}
		return s.styles.OK.Render(text)
	case enroll.StageWaiting:
		return s.styles.Warning.Render(markWait + " waiting for the certificate")
	case enroll.StageReady:
		return s.styles.Now.Render(markNow + " certificate is there: go on")
	case enroll.StageBegun:
		return s.styles.Warning.Render(markWarning + " begun, not finished")
	}
	return s.styles.Faint.Render(markNone + " to do")
}
