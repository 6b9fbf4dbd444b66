package option

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/usage"
)

// AnyNumber is the upper bound of a number that has none.
const AnyNumber = math.MaxInt

// number is a flag with a number, or a length of time, within bounds.
type number[T int | float64 | time.Duration] struct {
	value       *T
	least, most T
	kind        string // of pflag
	parse       func(string) (T, error)
}

// AddNumber adds a flag with a whole number from least to most. What value has is the default, which
// may be outside of them, such as 0 for what the card decides.
func AddNumber(flags *pflag.FlagSet, value *int, name string, least, most int, usage string) {
	flags.Var(&number[int]{value, least, most, "int", strconv.Atoi}, name, usage)
}

// addFraction adds a flag with a number that need not be whole, and is not less than 0.
func addFraction(flags *pflag.FlagSet, value *float64, name, usage string) {
	flags.Var(&number[float64]{value, 0, math.MaxFloat64, "float64", func(text string) (float64, error) { return strconv.ParseFloat(text, 64) }}, name, usage)
}

// AddWait adds a flag with a length of time that is not less than 0. What value has is the default.
func AddWait(flags *pflag.FlagSet, value *time.Duration, name, usage string) {
	flags.Var(&number[time.Duration]{value, 0, math.MaxInt64, "duration", time.ParseDuration}, name, usage)
}

// Check returns what is wrong with a text as such a number.
func (n *number[T]) Check(text string) error {
	given, err := n.parse(text)
	switch {
	case err != nil:
		return err
	case given >= n.least && given <= n.most: // NaN is neither
		return nil
	case float64(n.most) >= AnyNumber:
		return &usage.BoundsError{Problem: fmt.Sprintf("%v is less than %v", given, n.least)}
	}
	return &usage.BoundsError{Problem: fmt.Sprintf("%v is not between %v and %v", given, n.least, n.most)}
}

// Set takes a number that is within the bounds.
func (n *number[T]) Set(text string) error {
	if err := n.Check(text); err != nil {
		return err
	}
	*n.value, _ = n.parse(text) // Check read it
	return nil
}

// String returns the number.
func (n *number[T]) String() string {
	if n.value == nil {
		return "0"
	}
	return fmt.Sprint(*n.value)
}

// Type is for the help.
func (n *number[T]) Type() string { return n.kind }
