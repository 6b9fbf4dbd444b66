package cardcmd

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/piv"
)

func newCardHistory(streams *stdio.Streams) *cobra.Command {
	var options cardFlags
	var vault option.Escrow
	var known, pin *option.Secret
	var repair bool
	command := &cobra.Command{
		Use: "history", Short: "Show the retired keys of a card, which read old mail, and what the card says of them",
		Long: "history reads the retired slots 82 to 95 one by one, and the Key History object, which tells other\n" +
			"programs how many of them to look for. Where that is missing or wrong, --repair has it say what is in\n" +
			"the slots. No key and no certificate is changed by it. It takes the card's management key: the\n" +
			"factory one, one from the escrow, or --management-key-file.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var identity piv.Identity
			var history piv.History
			err := options.use(cmd.Context(), func(card *piv.Card) (err error) {
				identity = card.Identity()
				if history, err = card.History(cmd.Context()); err != nil || !repair || history.Problem() == nil {
					return err
				}
				ask := option.Asker{Streams: streams}
				defer ask.Close()
				key, err := ask.ManagementKey(cmd.Context(), card, known, pin, &vault)
				if err != nil {
					return err
				}
				stdio.Note(streams.Err, fmt.Sprintf("%v: it is put right", history.Problem()))
				if err := card.WriteKeyHistory(cmd.Context(), key); err != nil {
					return err
				}
				history, err = card.History(cmd.Context())
				return err
			})
			if err != nil {
				return err
			}
			if options.json {
				return stdio.JSON(streams.Out, showHistory(identity, history))
			}
			return printHistory(streams.Out, identity, history)
		},
	}
	options.add(command, false)
	command.Flags().BoolVar(&repair, "repair", false, "have the Key History object say what is in the retired slots")
	vault.AddReading(command.Flags())
	pin = option.AddSecret(command.Flags(), "pin", "the PIN, where it leads to the management key, for --repair")
	known = option.AddSecret(command.Flags(), "management-key", "the card's management key in hexadecimal, for --repair")
	return command
}

// HistoryJSON is the output of card history; the names are a contract.
type HistoryJSON struct {
	Serial  uint32           `json:"serial"` // of the card
	Says    *shownKeyHistory `json:"says"`   // what the Key History object says; null where there is none
	Real    shownKeyHistory  `json:"real"`   // what it has to say
	Problem string           `json:"problem,omitempty"`
	Slots   []shownSlot      `json:"slots"` // retired ones that hold something
	Free    int              `json:"free"`  // retired slots that are empty
	// Unknown are the retired slots that show nothing and may hold a key, which firmware before 5.3
	// does not tell.
	Unknown int `json:"unknown"`
}

type shownKeyHistory struct {
	OnCard  int    `json:"on_card"`       // keys whose certificate is on the card
	OffCard int    `json:"off_card"`      // keys whose certificate is not
	URL     string `json:"url,omitempty"` // where the certificates of those are
}

func showHistory(identity piv.Identity, history piv.History) HistoryJSON {
	shown := HistoryJSON{Serial: identity.Serial, Real: shownKeyHistory(history.Real()), Slots: []shownSlot{}, Free: len(history.Free()) - history.Unknown(), Unknown: history.Unknown()}
	if history.Said != nil {
		says := shownKeyHistory(*history.Said)
		shown.Says = &says
	}
	if problem := history.Problem(); problem != nil {
		shown.Problem = problem.Error()
	}
	for _, contents := range held(history) {
		shown.Slots = append(shown.Slots, showSlot(contents))
	}
	return shown
}

// held are the retired slots that are known to hold something.
func held(history piv.History) (slots []piv.SlotContents) {
	for _, contents := range history.Slots {
		if contents.Key != nil || contents.Certificate != nil || contents.CertificateErr != nil {
			slots = append(slots, contents)
		}
	}
	return slots
}

func printHistory(out io.Writer, identity piv.Identity, history piv.History) error {
	rows := stdio.NewTable(out, fmt.Sprint(identity.Serial), fmt.Sprintf("%s, firmware %s", identity.Model, identity.Firmware))
	for _, contents := range held(history) {
		printSlot(rows, contents)
	}
	unknown := history.Unknown()
	if unknown > 0 {
		value := describe.UnknownSlots(unknown)
		rows.Row(value.Label, value.Text)
	}
	if free := len(history.Free()) - unknown; free > 0 || unknown == 0 {
		rows.Row("free", fmt.Sprintf("%d of 20 retired slots", free))
	}
	says := "is right about them"
	if problem := history.Problem(); problem != nil {
		says = problem.Error() + " (to put it right: --repair)"
	} else if history.Said == nil {
		says = "none, and none is needed"
		if unknown > 0 {
			says = "none, and none is needed for what the card shows"
		}
	}
	rows.Row("Key History", says)
	return rows.Flush()
}
