package cli

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/pflag"
)

// serialFlag is a card's serial number. 0, which stands for a card that nobody
// named, cannot be typed: no card has it.
type serialFlag uint32

func addSerialFlag(flags *pflag.FlagSet, serial *uint32, usage string) {
	flags.Var((*serialFlag)(serial), "serial", usage)
}

// Set reads a decimal number.
func (f *serialFlag) Set(text string) error {
	number, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return fmt.Errorf("%q is no serial number", text)
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
