package hint_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/cli"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/durable"
	"github.com/cse-piv/cse-piv/internal/keyring"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// TestHintsOfEachCommand: whichever error a command ends with, its hint names no flag that this
// command does not have, and of another command that it shows none that that one does not have.
func TestHintsOfEachCommand(t *testing.T) {
	root := cli.Root()
	commands, told := 0, map[string]bool{}
	var each func(*cobra.Command)
	each = func(command *cobra.Command) {
		for _, sub := range command.Commands() {
			each(sub)
		}
		if command.HasSubCommands() && command.Name() != "report" {
			return
		}
		commands++
		for _, err := range hintedErrors() {
			text := hint.Of(command, err)
			if text != "" {
				told[fmt.Sprintf("%T %v", err, err)] = true
			}
			checkFlags(t, root, command, text)
		}
	}
	each(root)
	if commands < 40 {
		t.Errorf("only %d commands were found", commands)
	}
	for _, err := range hintedErrors() {
		if !told[fmt.Sprintf("%T %v", err, err)] {
			t.Errorf("%T: %v: no command has a hint", err, err)
		}
	}
}

// shownCommand finds a command line of this program in a hint.
var shownCommand = regexp.MustCompile(`cse-piv ((?:[a-z]+ ?)+)`)

// foreignPrograms have flags of their own in hints.
var foreignPrograms = []string{"gpgconf", "createdb", "gcloud"}

// checkFlags looks up the flags of a hint.
func checkFlags(t *testing.T, root, command *cobra.Command, text string) {
	t.Helper()
	for _, part := range strings.Split(text, "; ") {
		for _, at := range flagInHint.FindAllStringSubmatchIndex(part, -1) {
			of, before := command, part[:at[0]]
			if slices.ContainsFunc(foreignPrograms, func(name string) bool { return strings.Contains(before, name) }) {
				continue
			}
			if shown := shownCommand.FindStringSubmatch(before); shown != nil {
				var err error
				if of, _, err = root.Find(strings.Fields(shown[1])); err != nil {
					t.Errorf("%s: the hint %q shows a command that there is not", command.CommandPath(), text)
					continue
				}
			}
			if flag := part[at[2]:at[3]]; of.Flags().Lookup(flag) == nil {
				t.Errorf("%s: the hint is %q, and %s has no --%s", command.CommandPath(), text, of.CommandPath(), flag)
			}
		}
	}
}

// TestHintsFitTheCommand: what helps of a hint stays where the flags are not there.
func TestHintsFitTheCommand(t *testing.T) {
	for _, test := range []struct {
		command string
		err     error
		want    string
	}{
		{"card show", fmt.Errorf("--config: %w", durable.ErrNotRegular), "give a file there, and no folder, pipe or device"},
		{"batch", fmt.Errorf("--config: %w", durable.ErrNotRegular), "give a file there, and no folder, pipe or device"},
		{"batch", durable.ErrNotRegular, "give a file there, and no folder, pipe or device; a manifest can come through standard input: cse-piv batch -"},
		{"enroll", fmt.Errorf("--pin-file: %w", durable.ErrNotRegular), "give a file there, and no folder, pipe or device; a secret can come through a descriptor: --pin-fd N"},
		{"report", durable.ErrReadOnly, "choose a folder that can be written: --store FILE"},
		{"cert bundle", durable.ErrReadOnly, "choose a folder that can be written"},
		{"ca init", durable.ErrDifferent, "move it away, or choose another name or folder"},
		{"credentials forget", &keyring.UnavailableError{Err: errors.New("x")}, "unlock or install the keyring of this system: on Linux one that is a Secret Service, such as gnome-keyring"},
		{"card pin change", &piv.LastTryError{}, "the last try is used only where you can be asked: on a terminal; or replace the PIN with the PUK: cse-piv card pin unblock"},
		{"status", &ledger.InUseError{}, "try again when that has ended; several processes share a ledger in PostgreSQL: --store postgres://…"},
		{"ca init", &certpath.NoPathError{Fault: certpath.Fault{Cause: certpath.CauseMissing}}, "give the missing certificates"},
	} {
		command, _, err := cli.Root().Find(strings.Fields(test.command))
		if err != nil {
			t.Fatal(err)
		}
		if got := hint.Of(command, test.err); got != test.want {
			t.Errorf("%s, %v: %q", test.command, test.err, got)
		}
	}
}
