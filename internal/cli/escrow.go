package cli

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/escrow"
)

func newEscrow(streams *Streams) *cobra.Command {
	command := &cobra.Command{Use: "escrow", Short: "Look at sealed PUKs and management keys", RunE: showHelp}
	command.AddCommand(newEscrowList(streams))
	return command
}

func newEscrowList(streams *Streams) *cobra.Command {
	var folder string
	var serial uint32
	var asJSON bool
	command := &cobra.Command{
		Use: "list", Short: "List sealed records, and which of them the cards have",
		Long: "list shows the records of PUKs and management keys without opening them. A record is in force\n" +
			"when this program has set on the card what it holds, replaced when it has set what later records\n" +
			"hold, and otherwise not known: then the card may have it.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := folderOr(folder, "escrow")
			if err != nil {
				return err
			}
			if folder != "" {
				if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
					return &noEscrowError{path}
				}
			}
			records, err := escrow.List(cmd.Context(), path, serial)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(streams.Out, recordsJSON{append([]escrow.Listed{}, records...)})
			}
			rows := newTable(streams.Out, "SERIAL", "SEALED AT", "STANDING", "FILE")
			for _, record := range records {
				rows.row(record.Serial, record.Created.Format("2006-01-02 15:04:05Z"), standingText(record), record.File)
			}
			return rows.flush()
		},
	}
	flags := command.Flags()
	flags.StringVar(&folder, "escrow-dir", "", "`folder` of the escrow")
	addSerialFlag(flags, &serial, "`serial` number of a card; all cards without one")
	environmentFlag(flags, "escrow-dir")
	jsonFlag(command, &asJSON)
	return command
}

// noEscrowError is returned where the folder that is named as the escrow does not exist.
type noEscrowError struct{ folder string }

func (e *noEscrowError) Error() string { return "there is no escrow in " + e.folder }

// recordsJSON is the output of escrow list --json; the names are a contract.
type recordsJSON struct {
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
