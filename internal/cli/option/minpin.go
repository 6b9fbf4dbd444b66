package option

import (
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/spf13/pflag"
)

// AddMinPINLength adds the flag --min-pin-length.
func AddMinPINLength(flags *pflag.FlagSet, least *int) {
	AddNumber(flags, least, "min-pin-length", 6, 8, "the shortest new PIN that is taken, in characters: a `number` from 6 to 8 (default 6)")
	setting.Mark(flags, "min-pin-length")
	setting.InProfile(flags, "min-pin-length")
}
