package tui

import (
	"charm.land/bubbles/v2/help"
	"charm.land/bubbles/v2/textinput"
	"charm.land/lipgloss/v2"
)

// styles is the one style sheet. Colours come from the terminal's own sixteen,
// which its user chose to be readable; nothing is told by colour alone.
type styles struct {
	Title, QueueEntry, Here, Faint, Label, Value lipgloss.Style
	OK, Warning, Bad, Now, Selected, Loss, Rule  lipgloss.Style
	Help                                         help.Styles
	Input                                        textinput.Styles
}

func newStyles(dark bool) styles {
	plain := lipgloss.NewStyle()
	faint := plain.Foreground(lipgloss.LightDark(dark)(lipgloss.Color("#5f5f5f"), lipgloss.Color("#a0a0a0")))
	accent := lipgloss.LightDark(dark)(lipgloss.Color("#005faf"), lipgloss.Color("#5fafff"))
	green := lipgloss.LightDark(dark)(lipgloss.Color("#00662b"), lipgloss.Color("#5fd787"))
	amber := lipgloss.LightDark(dark)(lipgloss.Color("#875f00"), lipgloss.Color("#ffd75f"))
	red := lipgloss.LightDark(dark)(lipgloss.Color("#af0000"), lipgloss.Color("#ff8787"))
	s := styles{
		Title: plain.Bold(true), QueueEntry: faint, Here: plain.Bold(true).Foreground(accent),
		Faint: faint, Label: faint, Value: plain,
		OK: plain.Foreground(green), Warning: plain.Foreground(amber), Bad: plain.Bold(true).Foreground(red),
		Now: plain.Bold(true).Foreground(accent), Selected: plain.Bold(true).Foreground(accent),
		Loss: plain.Bold(true).Foreground(red), Rule: faint,
		Help:  help.DefaultStyles(dark),
		Input: textinput.DefaultStyles(dark),
	}
	for _, text := range []*lipgloss.Style{&s.Help.ShortDesc, &s.Help.ShortSeparator, &s.Help.FullDesc, &s.Help.FullSeparator, &s.Help.Ellipsis} {
		*text = faint
	}
	s.Help.ShortKey, s.Help.FullKey = plain.Bold(true), plain.Bold(true)
	return s
}

// The marks that stand before a line; each has a shape of its own.
const (
	markOK      = "✓"
	markBad     = "✗"
	markWarning = "!"
	markNow     = "▸"
	markWait    = "…"
	markNone    = "·"
)
