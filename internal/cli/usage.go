package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is a command line that cannot be carried out as it was typed.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usageErrorf(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// unknownCommandError is returned for a command that there is none of.
type unknownCommandError struct {
	within *cobra.Command
	typed  string
}

func (e *unknownCommandError) Error() string {
	return fmt.Sprintf("%s has no command %q", e.within.CommandPath(), e.typed)
}

// argumentsError is returned where a command has an argument too few or too many.
type argumentsError struct {
	command *cobra.Command
	missing string // the name of the first one that is missing
	extra   string // the first one that is too many
}

func (e *argumentsError) Error() string {
	if e.missing != "" {
		return fmt.Sprintf("%s needs %s", e.command.CommandPath(), e.missing)
	}
	return fmt.Sprintf("%s cannot use the argument %q", e.command.CommandPath(), e.extra)
}

// unknownFlagError is returned for a flag that the command does not have.
type unknownFlagError struct {
	command *cobra.Command
	flag    string // without dashes
}

func (e *unknownFlagError) Error() string {
	dashes := "--"
	if len(e.flag) == 1 {
		dashes = "-"
	}
	return fmt.Sprintf("%s has no flag %s%s", e.command.CommandPath(), dashes, e.flag)
}

// argumentNames returns the arguments that a command's usage names: EMAIL is needed,
// [EMAIL] may be left out, EMAIL... may come more than once, and of EMAIL | --from FILE
// the command itself sees which one is there.
func argumentNames(command *cobra.Command) []string {
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

// checkArguments lets every command take the arguments that its usage names, and no
// others.
func checkArguments(command *cobra.Command) {
	command.Args = func(cmd *cobra.Command, args []string) error {
		names := argumentNames(cmd)
		for i, name := range names {
			switch {
			case i >= len(args) && !strings.HasPrefix(name, "["):
				return &usageError{&argumentsError{command: cmd, missing: strings.TrimSuffix(name, "...")}}
			case strings.HasSuffix(strings.TrimSuffix(name, "]"), "..."):
				return nil
			}
		}
		switch {
		case len(args) <= len(names):
			return nil
		case cmd.HasSubCommands():
			return &usageError{&unknownCommandError{within: cmd, typed: args[0]}}
		}
		return &usageError{&argumentsError{command: cmd, extra: args[len(names)]}}
	}
	for _, sub := range command.Commands() {
		checkArguments(sub)
	}
}

// flagError words what is wrong with the flags of a command line.
func flagError(command *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var value *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown):
		return &usageError{&unknownFlagError{command: command, flag: unknown.GetSpecifiedName()}}
	case errors.As(err, &bare):
		return usageErrorf("--%s needs a value", bare.GetFlag().Name)
	case errors.As(err, &value):
		return usageErrorf("--%s: %s", value.GetFlag().Name, valueProblem(value))
	case errors.As(err, &syntax):
		return usageErrorf("%s is not a flag", syntax.GetSpecifiedFlag())
	}
	return usageErrorf("%w", err)
}

// valueProblem says what is wrong with the value of a flag.
func valueProblem(err *pflag.InvalidValueError) string {
	problem := ""
	switch kind := err.GetFlag().Value.Type(); kind {
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
		if errors.As(err, new(*csv.ParseError)) {
			problem = "is not a list such as a,b: a value with a quote or a comma in it stands in quotes, with its own quotes doubled"
		}
	}
	if problem == "" {
		return err.Unwrap().Error()
	}
	return fmt.Sprintf("%q %s", err.GetValue(), problem)
}
