package terminal

import (
	"context"
	"fmt"
	"image/color"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/vt"
)

// Cell is one place of the screen.
type Cell struct {
	Text  string // a character with what is combined with it; empty behind a wide one
	Width int    // in cells: 1, 2, or 0 behind a wide one
	Style Style
}

// Style is how a cell is drawn. Colours are nil for the terminal's own, an ansi.BasicColor or
// ansi.IndexedColor for one of its palette, or any other.
type Style struct {
	Foreground, Background                   color.Color
	Bold, Faint, Italic, Underlined, Reverse bool
}

// Grid is a screen, cell by cell.
type Grid struct {
	Width, Height int
	Cells         [][]Cell // by line, then column
	Title         string   // of the window
}

// Text returns the lines without blanks at their ends.
func (g Grid) Text() string {
	var text strings.Builder
	for _, line := range g.Cells {
		var row strings.Builder
		for _, cell := range line {
			row.WriteString(cell.Text)
		}
		text.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	return text.String()
}

// Cells returns the screen with its colours.
func (s *Session) Cells(ctx context.Context) (Grid, error) {
	out, err := s.tmux(ctx, "display-message", "-p", "-t", target, "#{pane_width} #{pane_height} #{pane_title}", ";", "capture-pane", "-p", "-e", "-N", "-t", target)
	if err != nil {
		return Grid{}, fmt.Errorf("looking at the screen: %w", err)
	}
	var width, height int
	state, screen, _ := strings.Cut(out, "\n")
	if _, err := fmt.Sscan(state, &width, &height); err != nil {
		return Grid{}, fmt.Errorf("looking at the screen: tmux says %q", state)
	}
	grid := parse(screen, width, height)
	grid.Title = strings.SplitN(state, " ", 3)[2]
	s.keep(grid.Text())
	return grid, nil
}

// parse reads lines with SGR sequences, as capture-pane prints them.
func parse(screen string, width, height int) Grid {
	emulator := vt.NewEmulator(width, height)
	defer emulator.Close()
	// A line feed goes to the beginning of the next line (LNM).
	_, _ = emulator.WriteString("\x1b[20h" + strings.TrimSuffix(screen, "\n"))
	grid := Grid{Width: width, Height: height}
	for y := range height {
		line := make([]Cell, width)
		for x := range width {
			line[x] = cellOf(emulator.CellAt(x, y))
		}
		grid.Cells = append(grid.Cells, line)
	}
	return grid
}

func cellOf(from *uv.Cell) Cell {
	if from == nil {
		return Cell{Text: " ", Width: 1}
	}
	has := func(attribute uint8) bool { return from.Style.Attrs&attribute != 0 }
	return Cell{Text: from.Content, Width: from.Width, Style: Style{
		Foreground: from.Style.Fg, Background: from.Style.Bg,
		Bold: has(uv.AttrBold), Faint: has(uv.AttrFaint), Italic: has(uv.AttrItalic), Reverse: has(uv.AttrReverse),
		Underlined: from.Style.Underline != uv.UnderlineNone,
	}}
}
