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
	"sync/atomic"

	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/secret"
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
	// left tells that a read was left behind; closing the file would wait for it on Windows.
	left atomic.Bool
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

// Close gives the terminal back. One that is still read is left to the end of the process.
func (t *Terminal) Close() error {
	if t.left.Load() {
		return nil
	}
	return t.close()
}

// say writes a line; whatever came from outside cannot steer the terminal.
func (t *Terminal) say(format string, args ...any) {
	fmt.Fprintln(t.Out, safetext.Clean(fmt.Sprintf(format, args...)))
}

// Line asks for a line of text and returns it without surrounding space.
func (t *Terminal) Line(ctx context.Context, question string) (string, error) {
	fmt.Fprint(t.Out, safetext.Clean(question))
	line, err := t.readLine(ctx)
	return strings.TrimSpace(string(line)), err
}

// secret asks for a secret; nothing of what is typed is shown.
func (t *Terminal) secret(ctx context.Context, question string) (secret.Secret, error) {
	fmt.Fprint(t.Out, safetext.Clean(question))
	if t.tty == nil {
		line, err := t.readLine(ctx)
		defer clear(line[:cap(line)])
		return secret.New(line), err
	}
	if err := ctx.Err(); err != nil {
		return secret.Secret{}, err
	}
	var typed secret.Secret
	var err error
	rawErr := withRaw(t.tty, func() { fmt.Fprint(t.Out, "\r\n"+safetext.Clean(question)) }, func() {
		typed, err = read(ctx, &t.left, func() (secret.Secret, error) { return readSecret(t.in) })
	})
	fmt.Fprintln(t.Out) // the Enter shows nowhere else
	return typed, errors.Join(err, rawErr)
}

// readLine reads one answer, whose bytes are the caller's to overwrite.
func (t *Terminal) readLine(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	line, err := read(ctx, &t.left, func() ([]byte, error) { return readAnswer(t.in) })
	// A terminal shows the Enter that ends an answer; a pipe does not, and an interrupt has none.
	if t.tty == nil || ctx.Err() != nil {
		fmt.Fprintln(t.Out)
	}
	return line, err
}

// read reads an answer. Reading a terminal cannot be interrupted, so when ctx ends
// the read is left behind; the process is about to end then.
func read[T any](ctx context.Context, left *atomic.Bool, from func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := from()
		answers <- answer{value, err}
	}()
	select {
	case <-ctx.Done():
		left.Store(true)
		var none T
		return none, ctx.Err()
	case got := <-answers:
		if got.err != nil && !errors.Is(got.err, ErrEndOfInput) {
			got.err = fmt.Errorf("reading an answer: %w", got.err)
		}
		return got.value, got.err
	}
}

// readAnswer reads up to the end of a line, whose editing keys the terminal looks
// after.
func readAnswer(in io.Reader) ([]byte, error) {
	line := make([]byte, 0, maxLine)
	for {
		key, err := readByte(in)
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil, ErrEndOfInput
		case errors.Is(err, io.EOF):
			return line, nil
		case err != nil:
			return nil, err
		case key == '\n':
			return bytes.TrimRight(line, "\r"), nil
		case len(line) == maxLine:
			return nil, fmt.Errorf("it is longer than %d bytes", maxLine)
		default:
			line = append(line, key)
		}
	}
}
