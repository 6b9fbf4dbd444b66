package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/piv"
)

func newCard(streams *Streams) *cobra.Command {
	command := &cobra.Command{Use: "card", Short: "Look at cards and take things off them", Args: cobra.NoArgs, RunE: showHelp}
	command.AddCommand(newCardList(streams), newCardShow(streams), newCardAttest(streams), newCardExport(streams))
	return command
}

// cardFlags name the card and the slot.
type cardFlags struct {
	serial uint32
	slot   string
	json   bool
}

func (f *cardFlags) add(command *cobra.Command, withSlot bool) {
	command.Flags().Uint32Var(&f.serial, "serial", 0, "`serial` number of the card; needed when there are several")
	if withSlot {
		command.Flags().StringVar(&f.slot, "slot", "9d", "PIV `slot`: 9a, 9c, 9d, 9e or 82 to 95")
	}
	jsonFlag(command, &f.json)
}

func (f *cardFlags) open(ctx context.Context) (*piv.Card, error) {
	return piv.Open(ctx, f.serial, piv.Options{})
}

// openSlot opens the card and reads the slot's name.
func (f *cardFlags) openSlot(ctx context.Context) (*piv.Card, piv.Slot, error) {
	slot, err := piv.ParseSlot(f.slot)
	if err != nil {
		return nil, 0, usageErrorf("%w", err)
	}
	card, err := f.open(ctx)
	return card, slot, err
}
