package option

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Span is a flag for a length of time in days or weeks, such as 60d or 8w.
type Span time.Duration

// AddSpan adds such a flag, whose default is in the span.
func AddSpan(flags *pflag.FlagSet, span *Span, name, usage string) { flags.Var(span, name, usage) }

const aDay = 24 * time.Hour

// spanUnits are the lengths of the units, in days.
var spanUnits = map[string]int{"d": 1, "w": 7}

// Set reads a whole number and d or w; at most a hundred years.
func (s *Span) Set(text string) error {
	const most = 36525
	for unit, days := range spanUnits {
		number, found := strings.CutSuffix(strings.TrimSpace(text), unit)
		n, err := strconv.ParseUint(number, 10, 16)
		if found && err == nil && int(n)*days <= most {
			*s = Span(time.Duration(int(n)*days) * aDay)
			return nil
		}
	}
	return fmt.Errorf("%q is not a number of days or weeks such as 60d or 8w", text)
}

// String returns the span in days, and "" where nobody set one.
func (s *Span) String() string {
	if *s == 0 {
		return ""
	}
	return strconv.Itoa(int(time.Duration(*s)/aDay)) + "d"
}

// Type is for the help.
func (s *Span) Type() string { return "days" }
