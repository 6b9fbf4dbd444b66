package hint

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/metrics"
)

// ofUsage is about command lines that are not understood.
func (h hints) ofUsage(err error) string {
	if unknown, found := errors.AsType[*usage.UnknownCommandError](err); found {
		var names []string
		for _, command := range unknown.Within.Commands() {
			if command.IsAvailableCommand() {
				names = append(names, command.Name())
			}
		}
		if name := nearest(unknown.Typed, names); name != "" {
			return "did you mean: " + unknown.Within.CommandPath() + " " + name
		}
		return "the commands are shown by: " + helpFor(unknown.Within)
	}
	if unknown, found := errors.AsType[*usage.UnknownFlagError](err); found {
		return unknownFlag(unknown.Command, unknown.Flag)
	}
	if missing, found := errors.AsType[*failure.MissingError](err); found {
		var all []string
		for _, one := range missing.All {
			all = append(all, h.of(one))
		}
		return Join(all...)
	}
	if errors.Is(err, failure.ErrNoAddress) {
		return "type: cse-piv enroll EMAIL"
	}
	if wrong, found := errors.AsType[*usage.ArgumentsError](err); found {
		return "type: " + wrong.Command.UseLine()
	}
	return hintOf(err, []sentinel{
		{failure.ErrLogOnScreen, "log into a file or the journal, --log FILE or --log journal; or have questions asked line by line, with --plain"},
		{metrics.ErrAddress, "127.0.0.1:9090 is an address that only this machine can reach"},
		{metrics.ErrRemote, "127.0.0.1:9090 is one that only this machine can reach; --metrics-remote allows others, and whoever reaches it can read the metrics"},
		{metrics.ErrInUse, "choose another port: each process needs its own"},
	})
}

// unknownFlag says which flag may be meant.
func unknownFlag(command *cobra.Command, typed string) string {
	var names []string
	secretFile := ""
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		names = append(names, flag.Name)
		if of, isFile := strings.CutSuffix(flag.Name, "-file"); isFile && (of == typed || strings.HasSuffix(of, "-"+typed)) {
			secretFile = of
		}
	})
	if secretFile != "" {
		return "no secret is given on the command line, where others can read it: use --" + secretFile + "-file FILE or --" + secretFile + "-fd N"
	}
	switch name := nearest(typed, names); {
	case typed == "confirm" || typed == "yes":
		return "leave it out: the command asks nothing that it agrees to; the flags are shown by: " + helpFor(command)
	case isOfOther(command.Root(), typed):
		return "leave it out: it is of other commands; the flags are shown by: " + helpFor(command)
	case name != "":
		return "did you mean: --" + name
	}
	return "the flags are shown by: " + helpFor(command)
}

// isOfOther reports whether a command or one of those below it has a flag of that name.
func isOfOther(command *cobra.Command, name string) bool {
	return command.Flags().Lookup(name) != nil || slices.ContainsFunc(command.Commands(), func(sub *cobra.Command) bool { return isOfOther(sub, name) })
}

// helpFor returns the command line that shows the help of a command.
func helpFor(command *cobra.Command) string {
	return strings.TrimSpace(strings.Replace(command.CommandPath(), "cse-piv", "cse-piv help", 1))
}

// nearest returns the name that was probably meant by what was typed, "" where none is
// near.
func nearest(typed string, names []string) string {
	best, least := "", 3 // two slips at most
	for _, name := range names {
		distance := editDistance(strings.ToLower(typed), name)
		if distance < least && distance < len(name) {
			best, least = name, distance
		}
	}
	return best
}

// editDistance counts the letters to insert, delete, replace or exchange with the next one to
// make b of a (optimal string alignment).
func editDistance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replaced := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			rows[i][j] = min(replaced, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
