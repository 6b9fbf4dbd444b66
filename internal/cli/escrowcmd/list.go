// Package escrowcmd is escrow: the records of PUKs and management keys.
package escrowcmd

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/escrow"
	"github.com/cse-piv/cse-piv/internal/format"
)

// New returns the command escrow.
func New(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "escrow", Short: "Look at sealed PUKs and management keys", RunE: usage.ShowHelp}
	command.AddCommand(newEscrowList(streams), newEscrowShow(streams), newEscrowDrill(streams))
	return command
}

func newEscrowList(streams *stdio.Streams) *cobra.Command {
	var folder string
	var serial uint32
	var asJSON bool
	command := &cobra.Command{
		Use: "list", Short: "List sealed records, and which of them the cards have",
		Long: "list shows the records of PUKs and management keys without opening them. A record is in force\n" +
			"when this program has set on the card what it holds, replaced when it has set what later records\n" +
			"hold or has reset the card, and otherwise not known: then the card may have it.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := existing(folder)
			if err != nil {
				return err
			}
			records, err := escrow.List(cmd.Context(), path, serial)
			if err != nil {
				return err
			}
			if asJSON {
				return stdio.JSON(streams.Out, RecordsJSON{append([]escrow.Listed{}, records...)})
			}
			rows := stdio.NewTable(streams.Out, "SERIAL", "SEALED AT", "STANDING", "FILE")
			for _, record := range records {
				rows.Row(record.Serial, format.Second(record.Created), standingText(record), record.File)
			}
			return rows.Flush()
		},
	}
	flags := command.Flags()
	flags.StringVar(&folder, "escrow-dir", "", "`folder` of the escrow")
	option.AddSerial(flags, &serial, "`serial` number of a card; all cards without one")
	setting.Mark(flags, "escrow-dir")
	option.AddJSON(command, &asJSON)
	return command
}

// existing returns the folder of the escrow, which has to be there where it is named.
func existing(folder string) (string, error) {
	path, err := option.FolderOr(folder, "escrow")
	if err != nil || folder == "" {
		return path, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", &failure.NoEscrowError{Folder: path}
	}
	return path, nil
}

// RecordsJSON is the output of escrow list --json; the names are a contract.
type RecordsJSON struct {
	Records []escrow.Listed `json:"records"`
}

// standingText says whether a card has what a record holds.
func standingText(record escrow.Listed) string {
	var kinds []string
	for _, kind := range record.InForce {
		kinds = append(kinds, string(kind))
	}
	if len(kinds) == 0 {
		return string(record.State)
	}
	return string(record.State) + ": " + strings.Join(kinds, ", ")
}
