// Package stdio is what a command reads from and writes to: the standard streams, and
// what is written there: JSON, tables, notes, warnings and failures.
package stdio

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/hint"
)

// Streams are the process's standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Terminal says that both input and error output are a terminal, so that a
	// person can be asked.
	Terminal bool
	// Logged says that a log is written to Err as well, line by line.
	Logged bool
	// Command is what reads and writes; nil before it is known.
	Command *cobra.Command
}

// Hint returns what to type next after an error of the command, or "".
func (s *Streams) Hint(err error) string { return hint.Of(s.Command, err) }
