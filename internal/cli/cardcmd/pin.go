package cardcmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/task"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
)

func newCardPIN(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "pin", Short: "Change or unblock a card's PIN", RunE: usage.ShowHelp}
	command.AddCommand(newReferenceChange(streams, "PIN"), newPINUnblock(streams))
	return command
}

func newCardPUK(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "puk", Short: "Change a card's PUK", RunE: usage.ShowHelp}
	command.AddCommand(newReferenceChange(streams, "PUK"))
	return command
}

// ChangedJSON is the output of card pin change and card puk change; the names are a
// contract.
type ChangedJSON struct {
	Serial  uint32 `json:"serial"`
	Changed string `json:"changed"` // PIN or PUK
}

// newReferenceChange returns the command that changes a PIN or PUK whose old one is known.
func newReferenceChange(streams *stdio.Streams, name string) *cobra.Command {
	var options cardFlags
	var profile setting.Profile // what it says is in the flags
	change := task.Change{Name: name}
	command := &cobra.Command{
		Use: "change", Short: "Set a new " + name + ", given the old one",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var changed ChangedJSON
			profile.Say(streams.Err)
			err := options.use(cmd.Context(), func(card *piv.Card) error {
				changed = ChangedJSON{card.Identity().Serial, name}
				ask := option.Asker{Streams: streams}
				defer ask.Close()
				return change.Run(cmd.Context(), &ask, card)
			})
			if err != nil {
				return err
			}
			if name == "PUK" {
				stdio.Note(streams.Err, "a record of the former PUK in an escrow does not open this card any more: keep the new one, or have card pin unblock put another one into the escrow")
			}
			if options.json {
				return stdio.JSON(streams.Out, changed)
			}
			fmt.Fprintf(streams.Out, "card %d has the new %s\n", changed.Serial, name)
			return nil
		},
	}
	options.add(command, false)
	lower := map[string]string{"PIN": "pin", "PUK": "puk"}[name]
	change.Old = option.AddSecret(command.Flags(), lower, "the card's "+name)
	change.New = option.AddSecret(command.Flags(), "new-"+lower, "the new "+name)
	if name == "PIN" {
		option.AddMinPINLength(command.Flags(), &change.MinPINLength)
		profile.Add(command.Flags(), true)
	}
	return command
}

func newPINUnblock(streams *stdio.Streams) *cobra.Command {
	var options cardFlags
	var profile setting.Profile
	unblock := task.Unblock{Escrow: &option.Escrow{}, Second: &task.SecondPerson{}}
	command := &cobra.Command{
		Use: "unblock", Short: "Set a new PIN for somebody who forgot it, with the PUK",
		Long: "The PUK comes from the escrow (--escrow-identity opens sealed records), from --puk-file, or is\n" +
			"asked for. The card's user types the new PIN. With --escrow-to or --escrow-plain the PUK is used\n" +
			"once: another one is sealed first and then takes its place.\n\n" +
			"With --second-person NAME somebody else has to agree, who types the card's serial number; the ledger\n" +
			"keeps the name before the PUK is used.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var done maintenance.Unblocked
			profile.Say(streams.Err)
			err := options.use(cmd.Context(), func(card *piv.Card) (err error) {
				ask := option.Asker{Streams: streams}
				defer ask.Close()
				done, err = unblock.Run(cmd.Context(), &ask, card)
				return err
			})
			if err != nil {
				return err
			}
			if options.json {
				return stdio.JSON(streams.Out, done)
			}
			fmt.Fprintf(streams.Out, "card %d has the new PIN, and all its tries\n", done.Serial)
			return nil
		},
	}
	options.add(command, false)
	flags := command.Flags()
	unblock.Escrow.Add(flags)
	unblock.PUK = option.AddSecret(flags, "puk", "the card's PUK")
	unblock.NewPIN = option.AddSecret(flags, "new-pin", "the new PIN")
	option.AddMinPINLength(flags, &unblock.MinPINLength)
	profile.Add(flags, true)
	unblock.Second.Add(flags)
	flags.StringVar(&unblock.Second.Confirm, "confirm", "", "the card's `serial`, by which the second person agrees without being asked")
	unblock.Second.Store.Add(flags)
	return command
}
