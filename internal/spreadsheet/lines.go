// Package spreadsheet reads CSV (RFC 4180) as spreadsheets and people write it: with
// comma, semicolon or tab, a "sep=" line, any line ends, a byte order mark, UTF-16,
// blank rows and broken ones. It needs bounded memory, and loses no row to a broken
// one before it.
package spreadsheet

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// MaxRow bounds one row, in octets.
const MaxRow = 1 << 20

// ErrTooLong is wrapped by the error of a row that is longer than MaxRow.
var ErrTooLong = fmt.Errorf("the row is longer than %d kB", MaxRow>>10)

// Error is why a row or a whole file cannot be read.
type Error struct {
	Err error
	// Expected says what would be right; it may be empty.
	Expected string
}

// Error returns the cause; what would be right is for whoever shows it to add.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Line is one physical line without its end.
type Line struct {
	Text    []byte
	Number  int  // from 1
	TooLong bool // Text is only the beginning
	Cut     bool // the input ends without a line break
}

// Lines reads a text of any length line by line.
type Lines struct {
	ctx    context.Context
	reader *bufio.Reader
	number int
	back   []Line // lines that were put back, first one first
}

const bufferSize = 64 << 10

// NewLines returns the lines of a text in UTF-8, with or without a byte order mark, or
// in UTF-16 with one. They end with \n, \r\n or \r. What is no text by how it begins
// gives an *Error. Octets that are not UTF-8 are passed on, see Windows1252.
func NewLines(ctx context.Context, in io.Reader) (*Lines, error) {
	text, err := decode(bufio.NewReaderSize(in, bufferSize))
	if err != nil {
		return nil, err
	}
	return &Lines{ctx: ctx, reader: bufio.NewReaderSize(&lineEnds{in: text}, bufferSize)}, nil
}

// Beginning returns up to 64 octets without waiting for more than three. It is for
// before the first Next.
func (l *Lines) Beginning() []byte {
	head, _ := beginning(l.reader) // Next returns the error
	return head
}

// Next returns the next line, or io.EOF, or the context's error.
func (l *Lines) Next() (Line, error) {
	if err := l.ctx.Err(); err != nil {
		return Line{}, err
	}
	if len(l.back) > 0 {
		first := l.back[0]
		l.back = l.back[1:]
		return first, nil
	}
	current := Line{Number: l.number + 1}
	for {
		piece, err := l.reader.ReadSlice('\n')
		if free := MaxRow - len(current.Text); len(piece) > free {
			current.Text, current.TooLong = append(current.Text, piece[:free]...), true
		} else {
			current.Text = append(current.Text, piece...)
		}
		switch {
		case err == nil:
		case errors.Is(err, bufio.ErrBufferFull):
			if err := l.ctx.Err(); err != nil { // one line may be as long as the file
				return Line{}, err
			}
			continue
		case errors.Is(err, io.EOF) && len(current.Text) > 0:
			current.Cut = true
		default:
			return Line{}, err
		}
		l.number++
		current.Text = bytes.TrimSuffix(current.Text, []byte("\n"))
		return current, nil
	}
}

// putBack makes lines be read again, before whatever follows them.
func (l *Lines) putBack(again []Line) { l.back = append(again, l.back...) }

// lineEnds reads \r\n and \r as \n.
type lineEnds struct {
	in    io.Reader
	after bool // the last octet was \r
}

func (r *lineEnds) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	if !r.after && bytes.IndexByte(p[:n], '\r') < 0 {
		return n, err
	}
	kept := p[:0]
	for _, c := range p[:n] {
		after := r.after
		r.after = c == '\r'
		switch {
		case c == '\n' && after: // the end was at the \r
		case c == '\r':
			kept = append(kept, '\n')
		default:
			kept = append(kept, c)
		}
	}
	return len(kept), err
}
