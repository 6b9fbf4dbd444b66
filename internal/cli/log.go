package cli

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/program"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/logging"
)

// runLog is the log of one command line, where one is asked for.
type runLog struct {
	flags option.Log
	log   *slog.Logger // nil: none
	end   func() error
}

// open opens the log, and gives it to the command with its context.
func (l *runLog) open(command *cobra.Command, streams *stdio.Streams) (err error) {
	if l.log, l.end, err = l.flags.Open(streams.Err); err != nil || l.log == nil {
		return err
	}
	l.log.Info("begun", "command", command.CommandPath(), "version", program.Version())
	command.SetContext(logging.With(command.Context(), l.log))
	streams.Logged = l.flags.ToStderr()
	return nil
}

// close writes how the command ended. Nothing is done about a log that cannot be closed:
// the command has come to its end.
func (l *runLog) close(err error) {
	if l.log == nil {
		return
	}
	code := failure.ExitCode(err)
	if err == nil {
		l.log.Info("ended", "exit_code", code)
	} else {
		l.log.Error("ended", "exit_code", code, "error", failure.OneLine(err))
	}
	_ = l.end()
}
