package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// newGmailList returns a command that lists something of one user's.
func newGmailList(streams *Streams, short string, list func(ctx context.Context, out io.Writer, user *gmail.User, asJSON bool) error) *cobra.Command {
	var options gmailFlags
	var asJSON bool
	command := &cobra.Command{
		Use: "list EMAIL", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := enroll.ValidateAddress(args[0]); err != nil {
				return err
			}
			user, err := options.user(cmd.Context(), streams.Err, args[0])
			if err != nil {
				return err
			}
			return list(cmd.Context(), streams.Out, user, asJSON)
		},
	}
	options.add(command.Flags())
	jsonFlag(command, &asJSON)
	return command
}

func jsonFlag(command *cobra.Command, value *bool) {
	command.Flags().BoolVar(value, "json", false, "print JSON")
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// short returns the start of a fingerprint, enough for a person to compare.
func short(fingerprint string) string {
	if len(fingerprint) > 16 {
		return fingerprint[:16]
	}
	return fingerprint
}
