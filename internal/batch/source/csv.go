package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// csvReader reads RFC 4180 rows. encoding/csv would hold a cell whose quote is
// never closed in memory up to the end of the file, and lose the rows in it.
type csvReader struct {
	lines *lines
	comma byte
}

// csvRow is one row of a CSV.
type csvRow struct {
	cells []string
	line  int  // its first
	cut   bool // the input ends in it without a line break
	err   error
}

// next returns the next row that is not blank; the error is io.EOF or that of
// the input.
func (c *csvReader) next() (csvRow, error) {
	for {
		first, err := c.lines.next()
		if err != nil {
			return csvRow{}, err
		}
		if !first.tooLong && !slices.ContainsFunc(first.text, func(b byte) bool { return b != ' ' && b != '\t' && b != c.comma }) {
			continue
		}
		return c.row(first)
	}
}

// row reads the row that begins with a line. A row that is broken is left at the
// first later line that looks like a row, so that it takes no others with it.
func (c *csvReader) row(first line) (csvRow, error) {
	row := csvRow{line: first.number}
	cells := cellReader{comma: c.comma}
	var taken []line
	size := 0
	for current := first; ; {
		const lineOverhead = 64
		if size += len(current.text) + lineOverhead; current.tooLong || size > maxRow {
			row.err = rowError(ReasonTooLong, "is a quote missing at a cell's end?", "the row is longer than %d kB", maxRow>>10)
			return c.resync(row, append(taken, current))
		}
		done, err := cells.line(current.text)
		if err != nil {
			row.err = err
			return c.resync(row, append(taken, current))
		}
		if done {
			row.cells, row.cut = cells.cells, current.cut
			return row, nil
		}
		taken = append(taken, current)
		if current, err = c.lines.next(); errors.Is(err, io.EOF) {
			row.err = rowError(ReasonMalformed, "was the file cut off?", "a quote is not closed")
			return c.resync(row, taken)
		} else if err != nil {
			return csvRow{}, err
		}
	}
}

// resync passes over what cannot be told from the rest of a broken row.
func (c *csvReader) resync(row csvRow, taken []line) (csvRow, error) {
	if len(taken) > 1 {
		c.lines.putBack(taken[1:])
	}
	last := row.line
	for {
		current, err := c.lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return csvRow{}, err
		}
		// A line that is too long in itself gets an error of its own.
		if current.tooLong || bytes.IndexByte(current.text, '@') >= 0 && bytes.IndexByte(current.text, c.comma) >= 0 {
			c.lines.putBack([]line{current})
			break
		}
		last = current.number
	}
	var broken *Error
	if last > row.line && errors.As(row.err, &broken) {
		broken.Err = fmt.Errorf("%w; lines %d to %d are passed over", broken.Err, row.line, last)
	}
	return row, nil
}

// cellReader splits the lines of one row into cells.
type cellReader struct {
	comma byte
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
)

// line takes a line and tells whether the row ends with it.
func (r *cellReader) line(text []byte) (done bool, err error) {
	for _, c := range text {
		switch r.state {
		case cellStart, cellBare:
			switch {
			case c == r.comma:
				r.end()
			case c == '"' && r.state == cellStart && len(bytes.TrimSpace(r.cell)) == 0:
				r.cell, r.state = r.cell[:0], cellQuoted
			case c == '"':
				return false, rowError(ReasonMalformed, `write "" for a quote, and quotes around the cell`, "a quote stands inside a cell without quotes")
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
		case cellClosed:
			switch c {
			case '"':
				r.cell, r.state = append(r.cell, c), cellQuoted
			case r.comma:
				r.end()
			case ' ', '\t':
			default:
				return false, rowError(ReasonMalformed, `write "" for a quote inside a cell; is one missing at a cell's end?`, "text follows a cell's closing quote")
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

// csvHeader reads the header and finds the delimiter by it. Blank lines before
// it and Excel's "sep=;" are passed over.
func csvHeader(l *lines) (*csvReader, []column, error) {
	for {
		first, err := l.next()
		if errors.Is(err, io.EOF) {
			return nil, nil, formatError(expectHeader, "it has no header")
		}
		if err != nil {
			return nil, nil, err
		}
		text := bytes.TrimSpace(first.text)
		if len(text) == 0 || len(text) == 5 && strings.EqualFold(string(text[:4]), "sep=") {
			continue
		}
		var comma byte
		var columns []column
		best := -1
		for _, candidate := range []byte{',', ';', '\t'} {
			cells := cellReader{comma: candidate}
			if done, err := cells.line(first.text); err != nil || !done || first.tooLong {
				continue
			}
			found := columnsOf(cells.cells)
			if n := countKnown(found); n > best {
				comma, columns, best = candidate, found, n
			}
		}
		if err := checkHeader(columns); err != nil {
			return nil, nil, err
		}
		return &csvReader{lines: l, comma: comma}, columns, nil
	}
}
