// Package cardcmd is card: what is on the cards in the readers, and their PINs and
// PUKs.
package cardcmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// New returns the command card.
func New(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "card", Short: "Show, export and change what is on cards", RunE: usage.ShowHelp}
	command.AddCommand(newCardList(streams), newCardShow(streams), newCardAttest(streams), newCardExport(streams), newCardPIN(streams), newCardPUK(streams), newCardHistory(streams),
		newStates(streams), newCardInit(streams), newCardImport(streams), newCardReset(streams))
	return command
}

// cardFlags name the card and the slot.
type cardFlags struct {
	serial uint32
	slot   string
	json   bool
}

func (f *cardFlags) add(command *cobra.Command, withSlot bool) {
	option.AddSerial(command.Flags(), &f.serial, "`serial` number of the card; needed when there are several")
	if withSlot {
		command.Flags().StringVar(&f.slot, "slot", "9d", "PIV `slot`: 9a, 9c, 9d, 9e or 82 to 95")
	}
	option.AddJSON(command, &f.json)
}

// use opens the card for some work and lets go of it.
func (f *cardFlags) use(ctx context.Context, work func(*piv.Card) error) error {
	return option.UseCard(ctx, f.serial, work)
}

// useSlot is use for work on the slot that was named.
func (f *cardFlags) useSlot(ctx context.Context, work func(*piv.Card, piv.Slot) error) error {
	slot, err := piv.ParseSlot(f.slot)
	if err != nil {
		return usage.Errorf("%w", err)
	}
	return f.use(ctx, func(card *piv.Card) error { return work(card, slot) })
}
