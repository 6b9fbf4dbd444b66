package spreadsheet

import (
	"bytes"
	"errors"
)

// cellReader splits the lines of one row into cells.
type cellReader struct {
	comma byte
	loose bool
	cells []string
	cell  []byte
	state cellState
}

type cellState int

const (
	cellStart  cellState = iota
	cellBare             // in a cell without quotes
	cellQuoted           // in quotes
	cellClosed           // after a quote that may be the closing one
	cellAfter            // after the closing quote and a blank
)

// line takes a line and tells whether the row ends with it.
func (r *cellReader) line(text []byte) (done bool, broken *Error) {
	const nowhere = -1
	opened := nowhere // where in this line the cell's quote is
	for i, c := range text {
		switch r.state {
		case cellStart, cellBare:
			switch {
			case c == r.comma:
				r.end()
			case c == '"' && r.state == cellStart && len(bytes.TrimSpace(r.cell)) == 0:
				r.cell, r.state, opened = r.cell[:0], cellQuoted, i
			case c == '"' && !r.loose:
				return false, &Error{errors.New("a quote stands inside a cell without quotes"), `write "" for a quote, and quotes around the cell`}
			default:
				r.cell = append(r.cell, c)
				if c != ' ' {
					r.state = cellBare
				}
			}
		case cellQuoted:
			if c == '"' {
				r.state = cellClosed
			} else {
				r.cell = append(r.cell, c)
			}
		case cellClosed, cellAfter:
			switch {
			case c == '"' && r.state == cellClosed:
				r.cell, r.state = append(r.cell, c), cellQuoted
			case c == r.comma:
				r.end()
				opened = nowhere
			case c == ' ', c == '\t':
				r.state = cellAfter
			case r.loose && opened != nowhere:
				r.cell, r.state = append(r.cell[:0], text[opened:i+1]...), cellBare
			default:
				return false, &Error{errors.New("text follows a cell's closing quote"), `write "" for a quote inside a cell; is one missing at a cell's end?`}
			}
		}
	}
	if r.state == cellQuoted {
		r.cell = append(r.cell, '\n')
		return false, nil
	}
	r.end()
	return true, nil
}

func (r *cellReader) end() {
	r.cells = append(r.cells, string(r.cell))
	r.cell, r.state = r.cell[:0], cellStart
}
