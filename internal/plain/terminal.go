// Package plain talks to a person line by line: questions on the terminal, and
// one line on standard error for each thing that happened. It is the way for
// screen readers, for terminals that cannot draw, and for runs without one.
//
// What is asked is shown on the terminal itself where there is one, so that
// standard input and output can be pipes. End of input is an error, never an
// empty answer.
package plain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ErrEndOfInput is input that ended where an answer was expected.
var ErrEndOfInput = errors.New("the input ended where an answer was expected")

// maxLine is the longest line that is taken as an answer, in bytes.
const maxLine = 4096

// Terminal asks questions at a terminal or, where a person asked for it, on
// standard input.
type Terminal struct {
	in    *bufio.Reader
	out   io.Writer
	tty   *os.File // whose echo is switched off for secrets; nil for a pipe
	close func() error
}

// OpenTerminal opens the terminal of the process, /dev/tty or CONIN$ and
// CONOUT$. It fails where there is none.
func OpenTerminal() (*Terminal, error) {
	in, out, err := openTTY()
	if err != nil {
		return nil, err
	}
	return &Terminal{in: bufio.NewReaderSize(in, maxLine), out: out, tty: in, close: func() error {
		if in == out {
			return in.Close()
		}
		return errors.Join(in.Close(), out.Close())
	}}, nil
}

// NewPipe asks on out and reads the answers from in, one a line.
func NewPipe(in io.Reader, out io.Writer) *Terminal {
	return &Terminal{in: bufio.NewReaderSize(in, maxLine), out: out, close: func() error { return nil }}
}

// Close gives the terminal back.
func (t *Terminal) Close() error { return t.close() }

// readLine reads one answer. Reading a terminal cannot be interrupted, so when
// ctx ends the read is left behind; the process is about to end then.
func (t *Terminal) readLine(ctx context.Context, echo bool) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	silent := !echo && t.tty != nil
	if silent {
		restore, err := switchEchoOff(int(t.tty.Fd()))
		if err != nil {
			return "", fmt.Errorf("switching the terminal's echo off: %w", err)
		}
		defer restore()
	}
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, tooLong, err := t.in.ReadLine()
		if err == nil && tooLong {
			err = fmt.Errorf("it is longer than %d bytes", maxLine)
		}
		answers <- answer{string(line), err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(t.out)
		return "", ctx.Err()
	case got := <-answers:
		if silent || t.tty == nil {
			fmt.Fprintln(t.out) // the Enter shows nowhere else
		}
		if errors.Is(got.err, io.EOF) {
			return "", ErrEndOfInput
		}
		if got.err != nil {
			return "", fmt.Errorf("reading an answer: %w", got.err)
		}
		return strings.TrimRight(got.line, "\r\n"), nil
	}
}
