package terminationcmd

import (
	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// NewLeave returns the command leave.
func NewLeave(streams *stdio.Streams) *cobra.Command {
	var options Flags
	var from string
	command := &cobra.Command{
		Use: "leave EMAIL... | --from FILE", Short: "Users leave: end the use of all their cards at Gmail",
		Long: "The identity at Gmail is deleted, so that nobody encrypts to the user any more, and all key pairs are\n" +
			"disabled; with --key-pairs leave they stay enabled, so that old mail stays readable with the card.\n" +
			"A local CA revokes the certificates; of others it is said whom to ask. Nothing is obliterated.\n" +
			"Run it before the account is suspended: Gmail answers for no suspended account.\n\n" +
			"After a failure or an interrupt, run the same command again: it goes on where it was.",
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := requests(cmd.Context(), args, from, termination.Request{Reason: termination.ReasonLeft, KeyPairs: options.KeyPairs()})
			if err != nil {
				return err
			}
			return options.Run(cmd.Context(), streams, "leave", all)
		},
	}
	options.add(command)
	command.Flags().Lookup("confirm").Usage = option.ConfirmUsage
	command.Flags().StringVar(&from, "from", "", "CSV `file` of several users, with a column email")
	return command
}
