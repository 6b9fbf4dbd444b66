package gmailcmd

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/task"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// RegisteredHistoryJSON is the output of keypair history --json; the names are a contract.
type RegisteredHistoryJSON struct {
	task.RegisteredHistory
	Error *stdio.Failure `json:"error,omitempty"` // with which the command ends; what was done before it is there
}

func newKeyPairHistory(streams *stdio.Streams) *cobra.Command {
	var options task.History
	var chain []string
	var asJSON bool
	command := &cobra.Command{
		Use: "history EMAIL", Short: "Register the retired keys of a user's card, for old mail to be read",
		Long: "history registers each certificate in the card's retired slots 82 to 95 as a key pair of its own, in no\n" +
			"identity and without having Gmail validate its chain, which may have ended long ago. Gmail can then\n" +
			"read with the card what was encrypted to it. What is registered already stays, so it can be run again.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage.Errorf("keypair history takes one address")
			}
			if err := enroll.ValidateAddress(args[0]); err != nil {
				return err
			}
			var err error
			if options.Authorities, err = option.ReadCertificates(chain); err != nil {
				return err
			}
			done, err := options.Register(cmd.Context(), streams.Err, args[0])
			if err != nil && len(done.Keys) == 0 {
				return err
			}
			if asJSON {
				return errors.Join(stdio.JSON(streams.Out, RegisteredHistoryJSON{done, streams.FailureOf(err)}), stdio.Told(err))
			}
			return errors.Join(printRegisteredHistory(streams.Out, done), err)
		},
	}
	flags := command.Flags()
	options.Gmail.Add(flags)
	options.Store.Add(flags)
	option.AddSerial(flags, &options.Serial, "`serial` number of the card; needed when there are several")
	flags.StringSliceVar(&chain, "chain", nil, "`file` or folder with intermediate and root certificates to build chains with")
	setting.Mark(flags, "chain")
	flags.BoolVar(&options.DryRun, "dry-run", false, "say what would be registered, and change nothing")
	option.AddJSON(command, &asJSON)
	return command
}

func printRegisteredHistory(out io.Writer, done task.RegisteredHistory) error {
	rows := stdio.NewTable(out, done.Email, fmt.Sprintf("card %d", done.Serial))
	for _, key := range done.Keys {
		rows.Row("slot "+key.Slot.String(), key.Text(done.DryRun))
	}
	if len(done.Keys) == 0 {
		rows.Row("slots", "82 to 95 are empty: there is nothing to register")
	}
	return rows.Flush()
}
