package cardcmd

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/piv"
)

func newCardList(streams *stdio.Streams) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use: "list", Short: "List the readers and the cards in them",
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := piv.List(cmd.Context())
			if err != nil {
				return err
			}
			var failure error
			if len(found) == 0 {
				failure = piv.ErrNoReader
			}
			if asJSON {
				return errors.Join(stdio.JSON(streams.Out, ReadersJSON{listReaders(found), streams.FailureOf(failure)}), stdio.Told(failure))
			}
			if failure != nil {
				return failure
			}
			rows := stdio.NewTable(streams.Out, "SERIAL", "MODEL", "FIRMWARE", "READER")
			for _, reader := range listReaders(found) {
				if reader.Problem != "" {
					rows.Row("-", reader.short, "-", reader.Reader)
					continue
				}
				rows.Row(reader.Serial, reader.Model, reader.Firmware, reader.Reader)
			}
			return rows.Flush()
		},
	}
	option.AddJSON(command, &asJSON)
	return command
}

// ReadersJSON is the output of card list --json; the names are a contract.
type ReadersJSON struct {
	Readers []listedReader `json:"readers"`
	Error   *stdio.Failure `json:"error,omitempty"` // with which the command ends
}

// listedReader is one reader in the JSON of card list.
type listedReader struct {
	Reader   string `json:"reader"`
	Serial   uint32 `json:"serial,omitempty"`
	Model    string `json:"model,omitempty"`
	Firmware string `json:"firmware,omitempty"`
	// Problem says why the reader has no card that can be used.
	Problem string `json:"problem,omitempty"`

	short string // the problem in a few words
}

func listReaders(found []piv.Found) []listedReader {
	readers := []listedReader{}
	for _, f := range found {
		reader := listedReader{Reader: f.Reader}
		switch {
		case errors.Is(f.Err, piv.ErrNoCard):
			reader.Problem, reader.short = "no card", "no card"
		case f.Err != nil:
			reader.Problem, reader.short = f.Err.Error(), shortProblem(f.Err)
		default:
			reader.Serial, reader.Model, reader.Firmware = f.Identity.Serial, f.Identity.Model, f.Identity.Firmware.String()
		}
		readers = append(readers, reader)
	}
	return readers
}

// shortProblem is what keeps a card from being used, in words for a column; the JSON has
// the whole error.
func shortProblem(err error) string {
	for _, problem := range []struct {
		err  error
		text string
	}{
		{piv.ErrNotYubiKey, "not a YubiKey with PIV"},
		{piv.ErrNoSerial, "no serial number"},
		{piv.ErrCardInUse, "in use by another program"},
		{piv.ErrNoAnswer, "no answer"},
		{piv.ErrReset, "no contact"},
		{piv.ErrBroken, "broken, or not genuine"},
	} {
		if errors.Is(err, problem.err) {
			return problem.text
		}
	}
	return err.Error()
}
