package cardcmd

import (
	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

func newCardAttest(streams *stdio.Streams) *cobra.Command {
	var options cardFlags
	var trust option.Trust
	command := &cobra.Command{
		Use: "attest", Short: "Print the proof that a slot's key was born on the card",
		Long: "attest has the card attest the key in a slot, verifies the proof up to a pinned root, and\n" +
			"prints it as PEM: the slot's attestation, the card's attestation certificate and the\n" +
			"intermediates. With --json it prints what the proof says.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			trusted, err := trust.OpenAndSay(streams.Err)
			if err != nil {
				return err
			}
			var facts *attestation.Facts
			err = options.useSlot(cmd.Context(), func(card *piv.Card, slot piv.Slot) error {
				facts, err = option.Attest(cmd.Context(), card, slot, trusted)
				return err
			})
			if err != nil {
				return err
			}
			if options.json {
				return stdio.JSON(streams.Out, facts)
			}
			_, err = streams.Out.Write(attestation.EncodeBundle(facts.Evidence()))
			return err
		},
	}
	options.add(command, true)
	trust.Add(command.Flags())
	return command
}
