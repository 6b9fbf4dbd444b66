package cardcmd

import (
	"context"

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
				facts, err = attest(cmd.Context(), card, slot, trusted)
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

// attest has the card attest the slot's key, verifies the proof, and compares it with
// what the card says of the key otherwise.
func attest(ctx context.Context, card *piv.Card, slot piv.Slot, trusted attestation.Trust) (*attestation.Facts, error) {
	contents, err := card.Slot(ctx, slot)
	if err != nil {
		return nil, err
	}
	slotCert, deviceCert, err := card.Attest(ctx, slot)
	if err != nil {
		return nil, err
	}
	expect := attestation.Expect{Slot: slot.String(), Serial: card.Identity().AttestedSerial()}
	if key := contents.Key; key != nil {
		expect.PublicKey, expect.Origin = key.PublicKey, string(key.Origin)
		expect.PINPolicy, expect.TouchPolicy = string(key.PINPolicy), string(key.TouchPolicy)
	}
	return attestation.Verify(attestation.Chain{Slot: slotCert, Device: deviceCert}, trusted, expect)
}
