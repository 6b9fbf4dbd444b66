package option

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/usage"
)

// AddChoice adds a flag that has one of some values.
func AddChoice(flags *pflag.FlagSet, value *string, name, usage string, values ...string) {
	flags.StringVar(value, name, "", usage+": "+strings.Join(values, ", "))
}

// CheckChoice finds fault with the value of such a flag.
func CheckChoice(name, value string, values ...string) error {
	if value == "" || slices.Contains(values, value) {
		return nil
	}
	return usage.Errorf("--%s %q is none of %s", name, value, strings.Join(values, ", "))
}
