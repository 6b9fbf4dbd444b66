package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/sleep"
)

// Options say where the wizard is shown.
type Options struct {
	// Email is the only person to enroll; empty for a desk with many.
	Email string
	In    io.Reader
	Out   io.Writer
}

// ErrBroken is a mistake in the program: the wizard ended where it should not have.
var ErrBroken = errors.New("the wizard broke down by a mistake of its own, which is told above")

// Run shows the wizard until it is ended and returns the conversation, with the receipts
// of those who were enrolled, also behind a screen that ended before. The error is what desk.Left returns, for one person desk.LeftOf;
// context.Canceled when a running enrollment was stopped or ctx ended; or
// ErrBroken. Whatever it started has ended by then.
func Run(ctx context.Context, d *desk.Desk, options Options) (*desk.Conversation, error) {
	working, stop := context.WithCancel(ctx)
	running := &tasks{}
	var program *tea.Program
	var receipts []*enroll.Receipt // enrollments come one after the other
	model := newModel(commands{
		ctx: working, desk: d, tasks: running, sleep: sleep.For,
		send: func(msg tea.Msg) { program.Send(msg) },
		keep: func(receipt *enroll.Receipt) { receipts = append(receipts, receipt) },
	}, options.Email)
	program = tea.NewProgram(model, tea.WithContext(ctx), tea.WithInput(options.In), tea.WithOutput(options.Out), tea.WithEnvironment(os.Environ()), tea.WithoutSignalHandler())
	if d.Retries != nil {
		d.Retries(func(retried desk.Retried) { program.Send(retried) })
	}
	end := followSuspension(working, program, options.In)
	_, err := program.Run()
	stop()
	end()
	running.wait()
	talk := model.session.Conversation
	talk.Receipts = receipts
	if model.broken != nil {
		fmt.Fprintf(options.Out, "%v\n\n%s\n", model.broken.what, model.broken.stack)
	}
	switch {
	case model.broken != nil, errors.Is(err, tea.ErrProgramPanic):
		return talk, ErrBroken
	case ctx.Err() != nil:
		return talk, ctx.Err()
	case err != nil:
		return talk, fmt.Errorf("showing the wizard: %w", err)
	}
	return talk, model.result()
}

// result is what the wizard came to.
func (m *Model) result() error {
	if m.stopped {
		return context.Canceled
	}
	return m.session.Left()
}
