package tui

import (
	"fmt"

	"charm.land/lipgloss/v2"

	"github.com/cse-piv/cse-piv/internal/describe"
)

// toned returns the mark and the style that values of a tone have.
func toned(s *session, tone describe.Tone) (mark string, style lipgloss.Style) {
	switch tone {
	case describe.OK:
		return markOK + " ", s.styles.OK
	case describe.Warning:
		return markWarning + " ", s.styles.Warning
	case describe.Bad:
		return markBad + " ", s.styles.Bad
	case describe.Faint:
		return "", s.styles.Faint
	}
	return "", s.styles.Value
}

// valueText is a value's text with its mark, in its colour.
func valueText(s *session, value describe.Value) string {
	mark, style := toned(s, value.Tone)
	return style.Render(mark + clean(value.Text))
}

// retryLines say why Gmail did not answer, and when it is asked again; none while the
// first answer is waited for.
func retryLines(s *session, width int) []string {
	if s.Retry == nil {
		return nil
	}
	value := describe.Retry(s.Retry.Err, s.Retry.At)
	return wrapped(s.styles.Warning.Render(markWarning+" "+value.Label+":"), clean(value.Text), width)
}

// practiceLines say what is different in practice.
func practiceLines(s *session, value describe.Value, width int) []string {
	return wrapped(s.styles.Title.Render(value.Label+":"), value.Text, width)
}

// valueLines lay values out below each other: the labels in a column, and what is
// too long for a line beside them.
func valueLines(s *session, values []describe.Value, width int) (lines []string) {
	column := 0
	for _, value := range values {
		column = max(column, lipgloss.Width(clean(value.Label)))
	}
	last := ""
	for _, value := range values {
		label := clean(value.Label)
		if label == last {
			label = ""
		}
		last = value.Label
		mark, style := toned(s, value.Tone)
		text, rest := mark+clean(value.Text), max(20, width-column-1)
		broken := paragraph(text, rest)
		if value.Exact {
			broken = exact(text, rest)
		}
		for _, part := range broken {
			lines = append(lines, fmt.Sprintf("%-*s ", column, label)+style.Render(part))
			label = ""
		}
	}
	return lines
}
