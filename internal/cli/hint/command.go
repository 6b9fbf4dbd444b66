package hint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Of is [For] for somebody who typed that command: no flag is named that it does not have. It is nil
// where that is not known.
func Of(command *cobra.Command, err error) string {
	h := onTheCommandLine()
	h.command = command
	return h.fit(h.of(err))
}

// has reports whether what was typed has the flag; where nothing is known of it, it has.
func (h hints) has(name string) bool {
	return h.command == nil || h.command.Flags().Lookup(name) != nil
}

// those lists flags, each with its value, that the command has: "--a FILE, --b N or --c"; all of
// them where it has none.
func (h hints) those(flags ...string) string {
	if has := h.after("", flags...); has != "" {
		return has
	}
	return hints{}.after("", flags...)
}

// after lists the flags that the command has as well, with a text before them; it is "" where it has
// none.
func (h hints) after(text string, flags ...string) string {
	has := slices.DeleteFunc(slices.Clone(flags), func(flag string) bool {
		name, _, _ := strings.Cut(strings.TrimPrefix(flag, "--"), " ")
		return !h.has(name)
	})
	switch last := len(has) - 1; last {
	case -1:
		return ""
	case 0:
		return text + has[0]
	default:
		return text + strings.Join(has[:last], ", ") + " or " + has[last]
	}
}

// newPIN says which flags give a PIN that the card is to get.
func (h hints) newPIN() string {
	if h.command != nil && h.has("new-pin-file") {
		return h.those("--new-pin-file FILE", "--new-pin-fd N")
	}
	return h.those("--pin-file FILE", "--pin-fd N")
}

var (
	// flagNamed finds the flags in a part of a hint.
	flagNamed = regexp.MustCompile(`(?:^|[\s('])--([a-z][a-z0-9-]*)`)
	// commandNamed finds a command line in it, of this program or another, whose flags are its own.
	commandNamed = regexp.MustCompile(`\b(?:cse-piv [a-z]|gpgconf |createdb |gcloud )`)
)

// fit leaves out those parts of a hint, between semicolons, that name a flag which the command does
// not have.
func (h hints) fit(hint string) string {
	if h.command == nil {
		return hint
	}
	parts := slices.DeleteFunc(strings.Split(hint, "; "), func(part string) bool {
		if at := commandNamed.FindStringIndex(part); at != nil {
			part = part[:at[0]]
		}
		return slices.ContainsFunc(flagNamed.FindAllStringSubmatch(part, -1), func(flag []string) bool { return !h.has(flag[1]) })
	})
	return strings.TrimPrefix(strings.Join(parts, "; "), "or ")
}
