package spreadsheet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Options says what a file's rows are like.
type Options struct {
	// Comment begins a line that is no row; 0 for none. The first row may begin with it
	// where it has headings.
	Comment byte
	// Known counts the cells that are known as headings. The delimiter that gives most
	// of them is the file's; where none gives any it is the first that is there.
	Known func(cells []string) int
	// Least is how many cells a row has at least. After a broken row, reading goes on at
	// a line with an @ and as many cells.
	Least int
	// Loose takes quotes that do not enclose a whole cell for text, as in
	//	ada@example.com;;Ada "the Countess"
	// which are an error otherwise.
	Loose bool
}

// Reader reads rows. encoding/csv would hold a cell whose quote is never closed in
// memory up to the end of the file, and lose the rows in it.
type Reader struct {
	lines   *Lines
	options Options
	first   byte // the delimiter that a "sep=" line gives; 0 for none
	comma   byte // 0 until it is known
}

// Row is one row.
type Row struct {
	Cells []string
	Line  int   // its first
	Cut   bool  // the input ends in it without a line break
	Err   error // an *Error where the row is broken
}

// NewReader returns a reader of those lines.
func NewReader(lines *Lines, options Options) *Reader {
	return &Reader{lines: lines, options: options}
}

// Next returns the next row that is not blank; the error is io.EOF or that of
// the input.
func (r *Reader) Next() (Row, error) {
	for {
		first, err := r.lines.Next()
		if err != nil {
			return Row{}, err
		}
		if len(first.Text) == 0 || r.isSep(first) {
			continue
		}
		comma, headings := r.delimiter(first.Text)
		const fewest = 2 // in a comment that is the heading, or one whose first column is called #
		if r.options.Comment != 0 && first.Text[0] == r.options.Comment && headings < fewest {
			continue
		}
		if headings > 0 || r.first != 0 || bytes.IndexByte(first.Text, '@') >= 0 && bytes.IndexByte(first.Text, comma) >= 0 {
			r.comma = comma
		}
		row, err := r.row(first, comma)
		if err != nil || row.Err != nil || slices.ContainsFunc(row.Cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
			return row, err
		}
	}
}

// isSep passes over the line with which Excel is told the delimiter.
func (r *Reader) isSep(line Line) bool {
	text := bytes.Trim(line.Text, `" `)
	if line.Number != 1 || len(text) < 5 || !strings.EqualFold(string(text[:4]), "sep=") {
		return false
	}
	r.first = text[4]
	return true
}

// delimiter returns what parts the cells of a line, and of the first ones how many are
// headings. It is the file's as soon as a line with a heading or an address has shown it.
func (r *Reader) delimiter(text []byte) (best byte, known int) {
	const all = ",;\t"
	if r.comma != 0 {
		return r.comma, 0
	}
	best = ','
	if r.first != 0 {
		best = r.first
	} else if at := bytes.IndexAny(withoutQuoted(text), all); at >= 0 {
		best = withoutQuoted(text)[at]
	}
	for _, candidate := range append([]byte{best}, all...) {
		cells := cellReader{comma: candidate, loose: r.options.Loose}
		if done, broken := cells.line(text); broken != nil || !done {
			continue
		}
		if n := r.options.Known(cells.cells); n > known {
			best, known = candidate, n
		}
	}
	return best, known
}

// withoutQuoted returns a line without what is in quotes.
func withoutQuoted(text []byte) []byte {
	var outside []byte
	for i, part := range bytes.Split(text, []byte(`"`)) {
		if i%2 == 0 {
			outside = append(outside, part...)
		}
	}
	return outside
}

// row reads the row that begins with a line. A row that is broken is left at the
// first later line that looks like a row, so that it takes no others with it.
func (r *Reader) row(first Line, comma byte) (Row, error) {
	row := Row{Line: first.Number}
	cells := cellReader{comma: comma, loose: r.options.Loose}
	var taken []Line
	size := 0
	for current := first; ; {
		const lineOverhead = 64
		if size += len(current.Text) + lineOverhead; current.TooLong || size > MaxRow {
			return r.resync(row, comma, &Error{ErrTooLong, "is a quote missing at a cell's end?"}, append(taken, current))
		}
		done, broken := cells.line(current.Text)
		if broken != nil {
			return r.resync(row, comma, broken, append(taken, current))
		}
		if done {
			row.Cells, row.Cut = cells.cells, current.Cut
			return row, nil
		}
		taken = append(taken, current)
		var err error
		if current, err = r.lines.Next(); errors.Is(err, io.EOF) {
			return r.resync(row, comma, &Error{errors.New("a quote is not closed"), "was the file cut off?"}, taken)
		} else if err != nil {
			return Row{}, err
		}
	}
}

// resync passes over what cannot be told from the rest of a broken row.
func (r *Reader) resync(row Row, comma byte, broken *Error, taken []Line) (Row, error) {
	if len(taken) > 1 {
		r.lines.putBack(taken[1:])
	}
	last := row.Line
	for {
		current, err := r.lines.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Row{}, err
		}
		// A line that is too long in itself gets an error of its own.
		if current.TooLong || bytes.IndexByte(current.Text, '@') >= 0 && bytes.Count(current.Text, []byte{comma}) >= r.options.Least-1 {
			r.lines.putBack([]Line{current})
			break
		}
		last = current.Number
	}
	if last > row.Line {
		broken.Err = fmt.Errorf("%w; lines %d to %d are passed over", broken.Err, row.Line, last)
	}
	row.Err = broken
	return row, nil
}
