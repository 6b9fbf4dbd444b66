package option

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// choice is a flag with one of some values.
type choice struct {
	value *string
	among []string
}

// AddChoice adds a flag that has one of some values. What value has is the default.
func AddChoice(flags *pflag.FlagSet, value *string, name, usage string, among ...string) {
	flags.Var(&choice{value, among}, name, usage+": "+strings.Join(among, ", "))
}

// Values returns the values.
func (c *choice) Values() []string { return c.among }

// Check returns what is wrong with a text that is none of the values.
func (c *choice) Check(text string) error {
	if slices.Contains(c.among, text) {
		return nil
	}
	return fmt.Errorf("%q is none of %s", text, strings.Join(c.among, ", "))
}

// Set takes one of the values.
func (c *choice) Set(text string) error {
	if err := c.Check(text); err != nil {
		return err
	}
	*c.value = text
	return nil
}

// String returns the value.
func (c *choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

// Type is for the help.
func (c *choice) Type() string { return "string" }
