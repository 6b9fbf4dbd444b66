package terminal

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Where a line of a box leaves its cell.
const (
	up = 1 << iota
	down
	left
	right
)

// bars are the characters of which several in a row are one shape, so much wider.
const bars = "─█▓▒░"

func firstRune(text string) rune {
	r, _ := utf8.DecodeRuneInString(text)
	return r
}

// shapeOf returns the SVG of a line or block that has to join its neighbours (Unicode, "Box
// Drawing" and "Block Elements"), in the coordinates of its cell; empty for other characters.
func shapeOf(r rune) string {
	switch r {
	case '─':
		return strokes(left | right)
	case '│':
		return strokes(up | down)
	case '┌':
		return strokes(down | right)
	case '┐':
		return strokes(down | left)
	case '└':
		return strokes(up | right)
	case '┘':
		return strokes(up | left)
	case '├':
		return strokes(up | down | right)
	case '┤':
		return strokes(up | down | left)
	case '┬':
		return strokes(down | left | right)
	case '┴':
		return strokes(up | left | right)
	case '┼':
		return strokes(up | down | left | right)
	case '╭':
		return corner(cellHeight, cellWidth)
	case '╮':
		return corner(cellHeight, 0)
	case '╰':
		return corner(0, cellWidth)
	case '╯':
		return corner(0, 0)
	case '█':
		return block(0, 0, cellWidth, cellHeight, 1)
	case '▓':
		return block(0, 0, cellWidth, cellHeight, .75)
	case '▒':
		return block(0, 0, cellWidth, cellHeight, .5)
	case '░':
		return block(0, 0, cellWidth, cellHeight, .25)
	case '▀':
		return block(0, 0, cellWidth, cellHeight/2, 1)
	case '▄':
		return block(0, cellHeight/2, cellWidth, cellHeight/2, 1)
	case '▌':
		return block(0, 0, cellWidth/2, cellHeight, 1)
	case '▐':
		return block(cellWidth/2, 0, cellWidth/2, cellHeight, 1)
	}
	return ""
}

// strokes draws lines from the cell's middle to its edges.
func strokes(to int) string {
	var path strings.Builder
	for _, end := range []struct {
		direction int
		x, y      float64
	}{{up, cellWidth / 2, 0}, {down, cellWidth / 2, cellHeight}, {left, 0, cellHeight / 2}, {right, cellWidth, cellHeight / 2}} {
		if to&end.direction != 0 {
			fmt.Fprintf(&path, "M%g %gL%g %g", cellWidth/2, cellHeight/2, end.x, end.y)
		}
	}
	return fmt.Sprintf(`<path d="%s"/>`, path.String())
}

// corner draws a round corner between the middles of two edges: the upper or lower one,
// and the left or right one.
func corner(y, x float64) string {
	return fmt.Sprintf(`<path fill="none" d="M%g %gQ%g %g %g %g"/>`, cellWidth/2, y, cellWidth/2, cellHeight/2, x, cellHeight/2)
}

// block fills a part of the cell.
func block(x, y, width, height, opacity float64) string {
	return fmt.Sprintf(`<rect stroke="none" opacity="%g" x="%g" y="%g" width="%g" height="%g"/>`, opacity, x, y, width, height)
}
