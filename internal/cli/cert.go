package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

func newCert(streams *Streams) *cobra.Command {
	command := &cobra.Command{Use: "cert", Short: "Find out whether Gmail will take a certificate, before anything is uploaded", RunE: showHelp}
	command.AddCommand(newCertCheck(streams), newCertRules(streams), newCertBundle(streams), newCertAdminBundle(streams))
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

// writeNew writes a file that others may read. It replaces none with other contents,
// unless it is told to, and then says so.
func writeNew(say io.Writer, path string, data []byte, overwrite bool) error {
	err := durable.KeepFile(path, data, 0o644)
	if !overwrite || !errors.Is(err, durable.ErrDifferent) {
		return err
	}
	if err := durable.WriteFile(path, data, 0o644); err != nil {
		return err
	}
	printNote(say, path+" had other contents, which were replaced")
	return nil
}
