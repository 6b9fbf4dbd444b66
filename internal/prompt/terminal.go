// Package prompt asks a person line by line: choices, confirmations and secrets.
//
// What is asked is shown on the terminal itself where there is one, so that
// standard input and output can be pipes. End of input is an error, never an
// empty answer.
package prompt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// ErrEndOfInput is input that ended where an answer was expected.
var ErrEndOfInput = errors.New("the input ended where an answer was expected")

// errInterrupted is Ctrl+C where a secret is typed: the terminal sends no signal then.
var errInterrupted = fmt.Errorf("%w: %w", context.Canceled, ErrEndOfInput)

// maxLine is the longest line that is taken as an answer, in bytes.
const maxLine = 4096

// Terminal asks questions at a terminal or, where a person asked for it, on
// standard input.
type Terminal struct {
	// Out is where questions are shown.
	Out io.Writer

	in    io.Reader // read byte by byte: no buffer keeps a secret
	tty   *os.File  // whose echo is switched off for secrets; nil for a pipe
	close func() error
}

// Open opens the terminal of the process, /dev/tty or CONIN$ and CONOUT$. It fails
// where there is none.
func Open() (*Terminal, error) {
	in, out, err := openTTY()
	if err != nil {
		return nil, err
	}
	return &Terminal{in: in, Out: out, tty: in, close: func() error {
		if in == out {
			return in.Close()
		}
		return errors.Join(in.Close(), out.Close())
	}}, nil
}

// NewPipe asks on out and reads the answers from in, one a line.
func NewPipe(in io.Reader, out io.Writer) *Terminal {
	return &Terminal{in: in, Out: out, close: func() error { return nil }}
}

// Close gives the terminal back.
func (t *Terminal) Close() error { return t.close() }

// say writes a line; whatever came from outside cannot steer the terminal.
func (t *Terminal) say(format string, args ...any) {
	fmt.Fprintln(t.Out, safetext.Clean(fmt.Sprintf(format, args...)))
}

// Line asks for a line of text and returns it without surrounding space.
func (t *Terminal) Line(ctx context.Context, question string) (string, error) {
	fmt.Fprint(t.Out, safetext.Clean(question))
	line, err := t.readLine(ctx, true)
	return strings.TrimSpace(string(line)), err
}

// readLine reads one answer, whose bytes are the caller's to overwrite. Reading a
// terminal cannot be interrupted, so when ctx ends the read is left behind; the
// process is about to end then.
func (t *Terminal) readLine(ctx context.Context, echo bool) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	silent := !echo && t.tty != nil
	if silent {
		before, err := term.MakeRaw(int(t.tty.Fd()))
		if err != nil {
			return nil, fmt.Errorf("switching the terminal's echo off: %w", err)
		}
		defer func() {
			_ = term.Restore(int(t.tty.Fd()), before)
			fmt.Fprintln(t.Out) // the Enter shows nowhere else
		}()
	} else if t.tty == nil {
		defer fmt.Fprintln(t.Out)
	}
	type answer struct {
		line []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := readAnswer(t.in, silent)
		answers <- answer{line, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-answers:
		if got.err != nil && !errors.Is(got.err, ErrEndOfInput) {
			got.err = fmt.Errorf("reading an answer: %w", got.err)
		}
		return got.line, got.err
	}
}

// Keys that a raw terminal leaves to us, by their control characters.
const (
	keyInterrupt = 'C' & 0x1f
	keyEnd       = 'D' & 0x1f
	keyBackspace = 'H' & 0x1f
	keyKillLine  = 'U' & 0x1f
	keyKillWord  = 'W' & 0x1f
	keyDelete    = 0x7f
)

// readAnswer reads up to the end of a line; raw says that nobody else looks after
// the editing keys.
func readAnswer(in io.Reader, raw bool) ([]byte, error) {
	line := make([]byte, 0, maxLine)
	for one := make([]byte, 1); ; {
		n, err := in.Read(one)
		key := one[0]
		switch {
		case n == 0 && errors.Is(err, io.EOF) && len(line) == 0, n > 0 && raw && key == keyEnd && len(line) == 0:
			return nil, ErrEndOfInput
		case n == 0 && errors.Is(err, io.EOF):
			return line, nil
		case n == 0 && err != nil:
			return nil, err
		case n == 0:
		case key == '\n', raw && key == '\r':
			return bytes.TrimRight(line, "\r"), nil
		case raw && key == keyInterrupt:
			return nil, errInterrupted
		case raw && (key == keyBackspace || key == keyDelete):
			_, size := utf8.DecodeLastRune(line)
			line = line[:len(line)-size]
		case raw && (key == keyKillLine || key == keyKillWord):
			line = line[:0]
		case len(line) == maxLine:
			return nil, fmt.Errorf("it is longer than %d bytes", maxLine)
		default:
			line = append(line, key)
		}
	}
}
