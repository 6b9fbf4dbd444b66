package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// outcomeJSON is what a command with --json prints where it fails before it has
// anything else to print, and with --events the last line. The names are a contract.
type outcomeJSON struct {
	Error *failureJSON `json:"error"`
}

// failureJSON is an error with which a command ends. The names are a contract.
type failureJSON struct {
	Code    int           `json:"code"`              // the exit code
	Reason  string        `json:"reason"`            // a stable name: see exit codes and failure reasons
	Message string        `json:"message"`           // what failed and why, for people
	Hint    string        `json:"hint,omitempty"`    // what to type next
	Waiting []waitingJSON `json:"waiting,omitempty"` // with code 8: what is waited for
}

// waitingJSON is a certificate that is waited for.
type waitingJSON struct {
	Request     string  `json:"request"`                       // path of the request, or the URL that it was sent to
	Certificate string  `json:"certificate,omitempty"`         // path of the file that the certificate is expected in
	RetryAfter  float64 `json:"retry_after_seconds,omitempty"` // when the CA wants to be asked again, where it said so
}

// failureOf returns an error as JSON; nil for none.
func failureOf(err error) *failureJSON {
	if err == nil {
		return nil
	}
	failure := &failureJSON{Code: exitCode(err), Reason: exitReason(err), Message: oneLine(err), Hint: hintFor(err)}
	if errors.Is(err, context.Canceled) {
		failure.Message = "interrupted"
		if others := besidesInterrupt(err); others != nil {
			failure.Message += "; " + oneLine(others)
		}
		failure.Hint = "run the same command again to go on"
	}
	for _, wait := range issuer.Waits(err) {
		waiting := waitingJSON{Request: wait.Request, RetryAfter: wait.RetryAfter.Seconds()}
		if wait.Dir != "" {
			waiting.Request, waiting.Certificate = filepath.Join(wait.Dir, wait.Request), filepath.Join(wait.Dir, wait.Expected)
		}
		failure.Waiting = append(failure.Waiting, waiting)
	}
	return failure
}

// toldError is an error that the JSON of a command holds already.
type toldError struct{ error }

func (e *toldError) Unwrap() error { return e.error }

// told marks an error as part of what was printed; nil stays nil.
func told(err error) error {
	if err == nil {
		return nil
	}
	return &toldError{err}
}

// endOfLines is the last line of JSON of a command that ended without a summary.
type endOfLines struct {
	Time  time.Time    `json:"time"`
	Event string       `json:"event"` // "error"
	Error *failureJSON `json:"error"`
}

// tellLines writes the error as a last line, where no other line tells of it.
func tellLines(out io.Writer, err error) error {
	if err == nil || errors.As(err, new(*toldError)) {
		return err
	}
	return errors.Join(told(err), safetext.EncodeJSON(out, endOfLines{Time: time.Now().UTC(), Event: "error", Error: failureOf(err)}, ""))
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
func tell(streams *Streams, out *watchedWriter, command *cobra.Command, args []string, err error) {
	origin := environmentOrigin(command, err)
	events, asJSON := wants(command, args, "events"), wants(command, args, "json")
	failure := failureOf(err)
	failure.Hint = joinHints(failure.Hint, origin)
	if events {
		_ = safetext.EncodeJSON(streams.Err, outcomeJSON{failure}, "")
	} else {
		printError(streams.Err, err, origin)
	}
	if (events || asJSON) && !out.written && !errors.As(err, new(*toldError)) {
		_ = printJSON(out, outcomeJSON{failure})
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

// environmentOrigin says which environment variables set the flags that an error is
// about: those that it names, or whose file it names.
func environmentOrigin(command *cobra.Command, err error) string {
	var origins []string
	message := err.Error()
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		if len(flag.Annotations[fromEnvironment]) == 0 || flag.Changed {
			return
		}
		name := environmentName(flag.Name)
		value := os.Getenv(name)
		about := mentions(message, "--"+flag.Name) || isPath(value) && strings.Contains(message, value)
		if value != "" && about {
			origins = append(origins, "--"+flag.Name+" was set by the environment variable "+name)
		}
	})
	return strings.Join(origins, "; ")
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

func joinHints(hints ...string) string {
	return strings.Join(slices.DeleteFunc(hints, func(hint string) bool { return hint == "" }), "; ")
}
