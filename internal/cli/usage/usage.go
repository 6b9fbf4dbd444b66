// Package usage is about command lines as they were typed: which arguments and flags a
// command takes, and the errors about others.
package usage

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Error is a command line that cannot be carried out as it was typed.
type Error struct{ err error }

// Error returns what is wrong with it.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the error that Errorf was given.
func (e *Error) Unwrap() error { return e.err }

// Errorf returns an [Error].
func Errorf(format string, args ...any) error {
	return &Error{err: fmt.Errorf(format, args...)}
}

// UnknownCommandError is returned for a command that there is none of.
type UnknownCommandError struct {
	Within *cobra.Command
	Typed  string
}

// Error names the command within which there is none, and what was typed.
func (e *UnknownCommandError) Error() string {
	return fmt.Sprintf("%s has no command %q", e.Within.CommandPath(), e.Typed)
}

// ArgumentsError is returned where a command has an argument too few or too many.
type ArgumentsError struct {
	Command *cobra.Command
	missing string // the name of the first one that is missing
	extra   string // the first one that is too many
}

// Error names the first argument that is missing or too many.
func (e *ArgumentsError) Error() string {
	if e.missing != "" {
		return fmt.Sprintf("%s needs %s", e.Command.CommandPath(), e.missing)
	}
	return fmt.Sprintf("%s cannot use the argument %q", e.Command.CommandPath(), e.extra)
}

// UnknownFlagError is returned for a flag that the command does not have.
type UnknownFlagError struct {
	Command *cobra.Command
	Flag    string // without dashes
}

// Error names the command and the flag.
func (e *UnknownFlagError) Error() string {
	dashes := "--"
	if len(e.Flag) == 1 {
		dashes = "-"
	}
	return fmt.Sprintf("%s has no flag %s%s", e.Command.CommandPath(), dashes, e.Flag)
}

// ArgumentNames returns the arguments that a command's usage names: EMAIL is needed,
// [EMAIL] may be left out, EMAIL... may come more than once, and of EMAIL | --from FILE
// the command itself sees which one is there.
func ArgumentNames(command *cobra.Command) []string {
	var names []string
	usage, _, either := strings.Cut(command.Use, " | ")
	words := strings.Fields(usage)
	for i := 1; i < len(words); i++ {
		switch {
		case strings.HasPrefix(words[i], "-"):
			i++ // the value of a flag
		case either:
			names = append(names, "["+words[i]+"]")
		default:
			names = append(names, words[i])
		}
	}
	return names
}

// CheckArguments lets every command take the arguments that its usage names, and no
// others.
func CheckArguments(command *cobra.Command) {
	command.Args = func(cmd *cobra.Command, args []string) error {
		names := ArgumentNames(cmd)
		for i, name := range names {
			switch {
			case i >= len(args) && !strings.HasPrefix(name, "["):
				return &Error{&ArgumentsError{Command: cmd, missing: strings.TrimSuffix(name, "...")}}
			case strings.HasSuffix(strings.TrimSuffix(name, "]"), "..."):
				return nil
			}
		}
		switch {
		case len(args) <= len(names):
			return nil
		case cmd.HasSubCommands():
			return &Error{&UnknownCommandError{Within: cmd, Typed: args[0]}}
		}
		return &Error{&ArgumentsError{Command: cmd, extra: args[len(names)]}}
	}
	for _, sub := range command.Commands() {
		CheckArguments(sub)
	}
}

// FlagError words what is wrong with the flags of a command line.
func FlagError(command *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var value *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown):
		return &Error{&UnknownFlagError{Command: command, Flag: unknown.GetSpecifiedName()}}
	case errors.As(err, &bare):
		return Errorf("--%s needs a value", bare.GetFlag().Name)
	case errors.As(err, &value):
		flag := value.GetFlag()
		return Errorf("--%s: %s", flag.Name, ValueProblem(flag.Value.Type(), value.GetValue(), value.Unwrap()))
	case errors.As(err, &syntax):
		return Errorf("%s is not a flag", syntax.GetSpecifiedFlag())
	}
	return Errorf("%w", err)
}

// BoundsError is returned by a flag for a value that is of the right kind, and too small or too large.
type BoundsError struct{ Problem string }

// Error says so, with the value.
func (e *BoundsError) Error() string { return e.Problem }

// ValueProblem says what is wrong with a text as the value of a flag of that type, which does not
// take it for that reason.
func ValueProblem(kind, value string, cause error) string {
	problem := ""
	if errors.As(cause, new(*BoundsError)) {
		return cause.Error()
	}
	switch kind {
	case "bool":
		problem = "is neither true nor false"
	case "int", "int64":
		problem = "is not a whole number"
	case "uint32", "uint64":
		problem = "is not a whole number from 0 up, or too large"
	case "float64":
		problem = "is not a number"
	case "duration":
		problem = "is not a length of time such as 30s or 5m"
	case "stringSlice":
		if errors.As(cause, new(*csv.ParseError)) {
			problem = "is not a list such as a,b: a value with a quote or a comma in it stands in quotes, with its own quotes doubled"
		}
	}
	if problem == "" {
		return cause.Error()
	}
	return fmt.Sprintf("%q %s", value, problem)
}

// ShowHelp is what a command does that only has others below it.
func ShowHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }
