package cli

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
)

// settingsPage shows what may stand in config.toml.
func settingsPage(*testing.T) string {
	root := newRoot(&stdio.Streams{}, &runLog{})
	var text strings.Builder
	text.WriteString("# Settings\n\nWhat may stand in `config.toml`, or in a variable, instead of being typed. How to use them: [settings and\n" +
		"profiles](../how-to/settings-and-profiles.md). A list is written `[\"a\", \"b\"]`.\n\n")
	settings := setting.All(root)
	rows := [][]string{{"key", "what it is", "variable"}}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if !settings[name].Hidden {
			cells := flagRow(settings[name])
			rows = append(rows, []string{quoted(name), cells[1], cells[2]})
		}
	}
	text.WriteString(markdown(rows...))
	text.WriteString("\n## Enrollment profiles\n\nWhat may stand below `[profile.NAME]`.\n\n")
	rows = [][]string{{"key", "what it is"}}
	for _, key := range setting.ProfileKeys(root) {
		rows = append(rows, []string{quoted(key.Name), key.About})
	}
	text.WriteString(markdown(rows...))
	return text.String()
}
