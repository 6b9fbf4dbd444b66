// Package configcmd is config: the settings and where they come from.
package configcmd

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
)

// New returns the command config, for a program with those settings.
func New(streams *stdio.Streams, settings map[string]*pflag.Flag) *cobra.Command {
	command := &cobra.Command{Use: "config", Short: "Show the settings, and begin a file of them", RunE: usage.ShowHelp}
	command.AddCommand(newShow(streams, settings), newInit(streams))
	return command
}
