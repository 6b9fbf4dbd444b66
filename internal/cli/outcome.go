package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// outcomeJSON is what a command with --json prints where it fails before it has
// anything else to print, and with --events the last line. The names are a contract.
type outcomeJSON struct {
	Error *stdio.Failure `json:"error"`
}

// watchedWriter knows whether anything was written.
type watchedWriter struct {
	io.Writer
	written bool
}

func (w *watchedWriter) Write(data []byte) (int, error) {
	w.written = w.written || len(data) > 0
	return w.Writer.Write(data)
}

// tell says with which error a command ended: to a person, and to a program that asked
// for JSON.
func tell(streams *stdio.Streams, out *watchedWriter, command *cobra.Command, args []string, err error) {
	origin := originsNamed(command, err)
	events, asJSON := wants(command, args, "events"), wants(command, args, "json")
	failure := streams.FailureOf(err)
	failure.Hint = hint.Join(failure.Hint, origin)
	if events {
		_ = safetext.EncodeJSON(streams.Err, outcomeJSON{failure}, "")
	} else {
		printError(streams, err, origin)
	}
	if (events || asJSON) && !out.written && !errors.As(err, new(*stdio.ToldError)) {
		_ = stdio.JSON(out, outcomeJSON{failure})
	}
}

// wants reports whether the command line has the flag, also one that could not be
// understood.
func wants(command *cobra.Command, args []string, name string) bool {
	if flag := command.Flags().Lookup(name); flag != nil && flag.Changed {
		return flag.Value.String() == "true"
	}
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--"+name)
}

// originsNamed says where the flags were set that an error is about, and nobody typed: those
// that it names, or whose file it names.
func originsNamed(command *cobra.Command, err error) string {
	var origins []string
	message := err.Error()
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		value := flag.Value.String()
		if list, isList := flag.Value.(pflag.SliceValue); isList {
			value = strings.Join(list.GetSlice(), ",")
		}
		if !mentions(message, "--"+flag.Name) && (!isPath(value) || !strings.Contains(message, value)) {
			return
		}
		switch origin := setting.OriginOf(flag); origin.Kind {
		case setting.OriginVariable:
			origins = append(origins, "--"+flag.Name+" was set by the environment variable "+origin.Variable)
		case setting.OriginFile, setting.OriginProfile:
			origins = append(origins, "--"+flag.Name+" was set by "+origin.String())
		}
	})
	return strings.Join(origins, "; ")
}

// messagesOf returns where a command tells people something before it begins. With --events all
// of it is JSON.
func messagesOf(command *cobra.Command, streams *stdio.Streams) io.Writer {
	if events := command.Flags().Lookup("events"); events != nil && events.Value.String() == "true" {
		return stdio.NoteEvents(streams.Err)
	}
	return streams.Err
}

// isPath tells a file's name from what is in a message by chance.
func isPath(value string) bool {
	return strings.ContainsAny(value, "/.") && !strings.Contains(value, "://")
}

// mentions reports whether a text names the flag, and not a longer one.
func mentions(text, flag string) bool {
	_, after, found := strings.Cut(text, flag)
	return found && (after == "" || after[0] != '-' && (after[0] < 'a' || after[0] > 'z'))
}

// printError is the one place where an error reaches a person: what failed and
// why, and what to type next; origin says where a value came from that nobody typed.
// What failed besides an interrupt is told before it.
func printError(streams *stdio.Streams, err error, origin string) {
	interrupted := errors.Is(err, context.Canceled)
	if interrupted {
		err = failure.BesidesInterrupt(err)
	}
	if err != nil {
		fmt.Fprintf(streams.Err, "cse-piv: error: %s\n", safetext.Clean(failure.OneLine(err)))
		if hint := hint.Join(streams.Hint(err), origin); hint != "" {
			fmt.Fprintf(streams.Err, "cse-piv: hint: %s\n", safetext.Clean(hint))
		}
	}
	if interrupted {
		fmt.Fprintln(streams.Err, "cse-piv: interrupted; run the same command again to go on")
	}
}
