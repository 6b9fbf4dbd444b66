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
)

// Options say where the wizard is shown.
type Options struct {
	// Email is the only person to enroll; empty for a desk with many.
	Email string
	In    io.Reader
	Out   io.Writer
}

// Run shows the wizard until it is ended and returns the receipts of those who
// were enrolled. For one person the error is what kept them from it; at a desk
// with many it is what desk.Left returns. It is context.Canceled when a running
// enrollment was stopped. Whatever it started has ended by then.
func Run(ctx context.Context, d *desk.Desk, options Options) ([]*enroll.Receipt, error) {
	working, stop := context.WithCancel(ctx)
	running := &tasks{}
	var program *tea.Program
	model := newModel(world{ctx: working, desk: d, tasks: running, send: func(msg tea.Msg) { program.Send(msg) }, sleep: sleep}, options.Email)
	program = tea.NewProgram(model, tea.WithContext(ctx), tea.WithInput(options.In), tea.WithOutput(options.Out), tea.WithEnvironment(os.Environ()), tea.WithoutSignalHandler())
	go running.run(func() {
		for found, err := range d.Watch(working) {
			program.Send(foundMsg{found: found, err: err})
		}
	})
	_, err := program.Run()
	stop()
	running.wait()
	switch {
	case ctx.Err() != nil:
		return model.session.receipts, ctx.Err()
	case err != nil && !errors.Is(err, tea.ErrProgramKilled):
		return model.session.receipts, fmt.Errorf("showing the wizard: %w", err)
	}
	return model.session.receipts, model.result()
}

// result is what the wizard came to.
func (m *Model) result() error {
	switch {
	case m.session.single && m.outcome == nil && len(m.session.receipts) == 0:
		return context.Canceled // ended before anything was done
	case m.session.single, errors.Is(m.outcome, context.Canceled):
		return m.outcome
	}
	if left := desk.Left(m.session.places, m.session.failure); left != nil || m.at != screenFailure {
		return left
	}
	return m.outcome // ended in sight of what failed
}
