package spreadsheet

import (
	"strings"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Shown says for a message what a first line without any known heading has. A single cell
// is not shown: somebody may have given a file with a PIN, PUK or key by mistake.
func Shown(cells []string) string {
	switch {
	case strings.TrimSpace(strings.Join(cells, "")) == "":
		return "nothing that can be read"
	case len(cells) == 1:
		return "one cell that is no heading"
	}
	return Headings(cells)
}

// Headings lists headings for a message: the first ones, and their beginnings.
func Headings(cells []string) string {
	const most, longest = 8, 40
	var names []string
	for i, cell := range cells {
		if i == most {
			names = append(names, "…")
			break
		}
		name := []rune(strings.TrimSpace(safetext.Clean(strings.ToValidUTF8(cell, "?"))))
		names = append(names, string(name[:min(len(name), longest)]))
	}
	return strings.Join(names, ", ")
}
