package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

func newCert(streams *Streams) *cobra.Command {
	command := &cobra.Command{Use: "cert", Short: "Find out whether Gmail will take a certificate, before anything is uploaded", RunE: showHelp}
	command.AddCommand(newCertCheck(streams), newCertRules(streams))
	return command
}

// choiceFlag is a flag that has one of some values.
func choiceFlag(flags *pflag.FlagSet, value *string, name, usage string, values ...string) {
	flags.StringVar(value, name, "", usage+": "+strings.Join(values, ", "))
}

// checkChoice finds fault with the value of such a flag.
func checkChoice(name, value string, values ...string) error {
	if value == "" || slices.Contains(values, value) {
		return nil
	}
	return usageErrorf("--%s %q is none of %s", name, value, strings.Join(values, ", "))
}

// printValues writes values a line each, with their details below them.
func printValues(out io.Writer, indent string, values []describe.Value) {
	for _, value := range values {
		fmt.Fprintf(out, "%s%s: %s\n", indent, safetext.Clean(value.Label), safetext.Clean(value.Text))
		for _, detail := range value.Details {
			fmt.Fprintf(out, "%s    %s\n", indent, safetext.Clean(detail))
		}
	}
}
