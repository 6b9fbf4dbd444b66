package cli

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/status"
)

// TestNextCommands: every command that is named to be typed next is one of the program, with
// its flags and arguments.
func TestNextCommands(t *testing.T) {
	root := newRoot(&stdio.Streams{Out: io.Discard, Err: io.Discard}, &runLog{})
	for _, command := range status.Commands() {
		line := hint.Command(command, "ada@lab.example", "7", 31415926)
		words := strings.Fields(strings.Replace(line, "REASON", "broken", 1)) // whoever types it knows
		if words[0] != "cse-piv" || len(words) < 2 {
			t.Errorf("%s: %s", command, line)
			continue
		}
		found, rest, err := root.Find(words[1:])
		if err != nil || found == root || found.HasSubCommands() && len(rest) > 0 {
			t.Errorf("%s is no command: %v", line, err)
			continue
		}
		if err := found.ParseFlags(rest); err != nil {
			t.Errorf("%s: %v", line, err)
		} else if err := found.ValidateArgs(found.Flags().Args()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, transition := range status.Transitions() {
		if !slices.Contains(status.Commands(), transition.Command) {
			t.Errorf("%+v", transition)
		}
	}
}
