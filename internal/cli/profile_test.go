package cli

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
)

// TestProfileWhereItSaysSomething: a command that takes what an enrollment profile can say
// takes --profile, too, unless it stands here with the reason.
func TestProfileWhereItSaysSomething(t *testing.T) {
	without := map[string]string{
		"cse-piv config show": "it shows all settings, whoever takes them",
		"cse-piv demo":        "everything there is the practice lab's",
		"cse-piv batch":       "its keys are there already; whom the directory is asked as is no one profile's",
		"cse-piv reconcile":   "it compares everybody, whatever their profile was",
	}
	root := newRoot(&stdio.Streams{}, &runLog{})
	keys := map[string]bool{}
	for _, key := range setting.ProfileKeys(root) {
		keys[key.Name] = true
	}
	visit(root, func(command *cobra.Command) {
		says := map[string]bool{}
		for name := range keys {
			if flag := command.Flags().Lookup(name); flag != nil && len(flag.Annotations["profile"]) > 0 {
				says[name] = true
			}
		}
		if len(says) == 0 || without[command.CommandPath()] != "" || command.Flags().Lookup("profile") != nil {
			return
		}
		t.Errorf("%s takes %s, and no --profile", command.CommandPath(), strings.Join(slices.Sorted(maps.Keys(says)), ", "))
	})
}

func visit(command *cobra.Command, see func(*cobra.Command)) {
	see(command)
	for _, sub := range command.Commands() {
		visit(sub, see)
	}
}
