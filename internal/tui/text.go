package tui

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// wrapped puts a label before text, and breaks the text into lines that are
// indented like its beginning.
func wrapped(label, text string, width int) []string {
	return labelled(label, func(width int) []string { return paragraph(text, width) }, width)
}

// pathLines puts a label before a path or a name, which is broken only where the
// line ends, so that it can be copied.
func pathLines(label, path string, width int) []string {
	return labelled(label, func(width int) []string { return exact(clean(path), width) }, width)
}

// exact breaks a path or a name into lines of the width, without a space or a hyphen that
// is none of its own: after a separator where there is one in the line's second half.
func exact(text string, width int) (lines []string) {
	for lipgloss.Width(text) > width {
		line := ansi.Truncate(text, width, "")
		if at := strings.LastIndexAny(line, `/\`) + 1; at > len(line)/2 {
			line = line[:at]
		}
		if line == "" {
			break // not even a character fits
		}
		lines, text = append(lines, line), text[len(line):]
	}
	return append(lines, text)
}

// labelled puts a label before the first line of what is broken to the width that
// is left beside it.
func labelled(label string, broken func(width int) []string, width int) []string {
	indent := lipgloss.Width(label) + 1
	lines := broken(max(20, width-indent))
	for i, line := range lines {
		if i == 0 {
			lines[i] = label + " " + line
		} else {
			lines[i] = strings.Repeat(" ", indent) + line
		}
	}
	return lines
}

// nonBreakingHyphen stands for a hyphen while lines are broken: ansi.Wrap breaks after
// each hyphen, and an ID or a flag that was broken there can no longer be copied.
const nonBreakingHyphen = "\u2011"

// paragraph breaks text into lines of the width, at its spaces.
func paragraph(text string, width int) []string {
	lines := strings.Split(ansi.Wrap(strings.ReplaceAll(text, "-", nonBreakingHyphen), width, ""), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(strings.ReplaceAll(line, nonBreakingHyphen, "-"), " ")
	}
	return lines
}

// around returns the part of the lines of that height that has the line at
// focus in it, and marks where lines were left out.
func around(lines []string, focus, height int) []string {
	if height < 3 || len(lines) <= height {
		return lines
	}
	from := min(max(0, focus-height/2), len(lines)-height)
	part := append([]string(nil), lines[from:from+height]...)
	if from > 0 {
		part[0] = "  ↑"
	}
	if from+height < len(lines) {
		part[height-1] = "  ↓"
	}
	return part
}
