// Package credentialscmd is credentials: what is kept of a user's login.
package credentialscmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
)

// New returns the command credentials.
func New(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "credentials", Short: "Forget a login that is kept in the system keyring", RunE: usage.ShowHelp}
	command.AddCommand(newForget(streams))
	return command
}

// Forgotten is what credentials forget has to say. The JSON names are a contract.
type Forgotten struct {
	// Forgotten reports whether there was a login.
	Forgotten bool `json:"forgotten"`
}

func newForget(streams *stdio.Streams) *cobra.Command {
	var (
		login  option.KeptLogin
		asJSON bool
	)
	command := &cobra.Command{
		Use: "forget", Short: "Take the login of --self out of the system keyring",
		Long: "forget takes the login that --self --keep-login keeps for an OAuth client out of the system keyring. What\n" +
			"was allowed stays allowed until it is taken back at https://myaccount.google.com/connections.",
		Example: "  cse-piv credentials forget --client client.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			was, err := login.Forget(cmd.Context())
			switch {
			case err != nil:
				return err
			case asJSON:
				return stdio.JSON(streams.Out, Forgotten{was})
			case was:
				_, err = fmt.Fprintln(streams.Out, "the login is forgotten")
			default:
				_, err = fmt.Fprintln(streams.Out, "no login of this client is kept")
			}
			return err
		},
	}
	login.Add(command.Flags())
	option.AddJSON(command, &asJSON)
	return command
}
