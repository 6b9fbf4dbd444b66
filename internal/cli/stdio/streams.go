// Package stdio is what a command reads from and writes to: the standard streams, and
// what is written there: JSON, tables, notes, warnings and failures.
package stdio

import "io"

// Streams are the process's standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Terminal says that both input and error output are a terminal, so that a
	// person can be asked.
	Terminal bool
}
