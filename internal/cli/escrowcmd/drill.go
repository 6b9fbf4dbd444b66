package escrowcmd

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/format"
)

// DrillJSON is the output of escrow drill --json; the names are a contract.
type DrillJSON struct {
	Records []escrow.Drilled `json:"records"`
	Open    int              `json:"open"`   // how many open
	Closed  int              `json:"closed"` // how many do not
	// Error is with which the command ends: a record does not open.
	Error *stdio.Failure `json:"error,omitempty"`
}

func newEscrowDrill(streams *stdio.Streams) *cobra.Command {
	var vault option.Escrow
	var serial uint32
	var asJSON bool
	command := &cobra.Command{
		Use: "drill", Short: "Try whether every record can be opened, and show nothing of them",
		Long: "drill opens every record with the identities at hand (--escrow-identity), as on the day when a PUK or\n" +
			"a management key is needed, and shows nothing of what is in them: how many open, and which do not.\n" +
			"The exit code is 3 where one does not open.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			folder, err := existing(vault.Folder)
			if err != nil {
				return err
			}
			stdio.Warnings(streams.Err, &vault)
			identities, err := vault.Identities()
			if err != nil {
				return err
			}
			records, err := escrow.Drill(cmd.Context(), folder, serial, identities...)
			if err != nil {
				return err
			}
			out, sealed := DrillJSON{Records: records}, 0
			for _, record := range records {
				if record.Opens {
					out.Open++
				} else {
					out.Closed++
				}
				if errors.Is(record.Err, escrow.ErrNoIdentity) {
					sealed++
				}
			}
			var end error
			if out.Closed > 0 {
				end = &failure.RecordsError{Closed: out.Closed, Total: len(records), Sealed: sealed}
			}
			if asJSON {
				out.Error = streams.FailureOf(end)
				return errors.Join(stdio.JSON(streams.Out, out), stdio.Told(end))
			}
			rows := stdio.NewTable(streams.Out, "SERIAL", "SEALED AT", "STANDING", "OPENS", "FILE")
			for _, record := range records {
				opens := "yes"
				if !record.Opens {
					opens = "no: " + record.Problem
				}
				rows.Row(record.Serial, format.Second(record.Created), standingText(record.Listed), opens, record.File)
			}
			if err := rows.Flush(); err != nil {
				return err
			}
			fmt.Fprintf(streams.Out, "%d of %d records open\n", out.Open, len(records))
			return end
		},
	}
	flags := command.Flags()
	vault.AddReading(flags)
	option.AddSerial(flags, &serial, "`serial` number of a card; all cards without one")
	option.AddJSON(command, &asJSON)
	return command
}
