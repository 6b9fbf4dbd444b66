package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/piv"
)

func newCard(streams *Streams) *cobra.Command {
	command := &cobra.Command{Use: "card", Short: "Show, export and change what is on cards", RunE: showHelp}
	command.AddCommand(newCardList(streams), newCardShow(streams), newCardAttest(streams), newCardExport(streams), newCardPIN(streams), newCardPUK(streams))
	return command
}

// cardFlags name the card and the slot.
type cardFlags struct {
	serial uint32
	slot   string
	json   bool
}

func (f *cardFlags) add(command *cobra.Command, withSlot bool) {
	addSerialFlag(command.Flags(), &f.serial, "`serial` number of the card; needed when there are several")
	if withSlot {
		command.Flags().StringVar(&f.slot, "slot", "9d", "PIV `slot`: 9a, 9c, 9d, 9e or 82 to 95")
	}
	jsonFlag(command, &f.json)
}

// use opens the card for some work and lets go of it.
func (f *cardFlags) use(ctx context.Context, work func(*piv.Card) error) error {
	return useCard(ctx, f.serial, work)
}

// useSlot is use for work on the slot that was named.
func (f *cardFlags) useSlot(ctx context.Context, work func(*piv.Card, piv.Slot) error) error {
	slot, err := piv.ParseSlot(f.slot)
	if err != nil {
		return usageErrorf("%w", err)
	}
	return f.use(ctx, func(card *piv.Card) error { return work(card, slot) })
}

// useCard opens the card with that serial number, or for 0 the only one, for some
// work and lets go of it, which takes as long as a command that is out.
func useCard(ctx context.Context, serial uint32, work func(*piv.Card) error) error {
	card, err := piv.Open(ctx, serial, piv.Options{})
	if err != nil {
		return err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = card.Release(ending) // the card is reset when the process ends, too
	}()
	return work(card)
}
