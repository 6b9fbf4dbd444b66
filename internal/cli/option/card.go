package option

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/piv"
)

// serialFlag is a card's serial number. 0, which stands for a card that nobody
// named, cannot be typed: no card has it.
type serialFlag uint32

// AddSerial adds the flag --serial, which names a card.
func AddSerial(flags *pflag.FlagSet, serial *uint32, usage string) {
	flags.Var((*serialFlag)(serial), "serial", usage)
}

// Set reads a decimal number.
func (f *serialFlag) Set(text string) error {
	number, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return fmt.Errorf("%q is not a serial number: cse-piv card list shows those of the cards that are inserted", text)
	}
	if number == 0 {
		return errors.New("no card has the serial number 0")
	}
	*f = serialFlag(number)
	return nil
}

// String returns the number, 0 where nobody named a card.
func (f *serialFlag) String() string { return strconv.FormatUint(uint64(*f), 10) }

// Type is for the help.
func (f *serialFlag) Type() string { return "serial" }

// UseCard opens the card with that serial number, or for 0 the only one, for some
// work and lets go of it, which takes as long as a command that is out.
func UseCard(ctx context.Context, serial uint32, work func(*piv.Card) error) error {
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
