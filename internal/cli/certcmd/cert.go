// Package certcmd is cert: files of certificates, judged and packed for Gmail before
// anything is uploaded.
package certcmd

import (
	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
)

// New returns the command cert.
func New(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "cert", Short: "Find out whether Gmail will take a certificate, before anything is uploaded", RunE: usage.ShowHelp}
	command.AddCommand(newCertCheck(streams), newCertRules(streams), newCertBundle(streams), newCertAdminBundle(streams))
	return command
}
