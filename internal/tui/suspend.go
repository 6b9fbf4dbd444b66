package tui

import (
	"context"
	"io"
	"os"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"

	"github.com/cse-piv/cse-piv/internal/prompt"
)

// followSuspension gives the terminal back while the process is stopped. The function
// that it returns ends that.
func followSuspension(ctx context.Context, program *tea.Program, in io.Reader) (end func()) {
	return prompt.OnSuspend(func(stop func()) {
		over := make(chan struct{})
		program.Send(suspendMsg{stop, over})
		select {
		case <-over:
		case <-ctx.Done():
		}
	}, func() {
		if tty, ok := in.(*os.File); ok && term.IsTerminal(int(tty.Fd())) {
			_, _ = term.MakeRaw(int(tty.Fd())) // as it was when the process was stopped
		}
		program.Send(redrawMsg{})
	})
}

// suspendMsg has the wizard give the terminal back, call stop, and take it again.
type suspendMsg struct {
	stop func()
	over chan<- struct{} // closed then
}

// redrawMsg says that others may have written on the screen.
type redrawMsg struct{}

// stopping is what runs while the wizard has given the terminal back.
type stopping suspendMsg

// Run stops the process, and returns when it was continued.
func (s stopping) Run() error {
	defer close(s.over)
	s.stop()
	return nil
}

// SetStdin and the other two are not needed: nothing is read or written.
func (stopping) SetStdin(io.Reader)  {}
func (stopping) SetStdout(io.Writer) {}
func (stopping) SetStderr(io.Writer) {}
