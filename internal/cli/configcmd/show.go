package configcmd

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
)

// ShownConfig is the JSON of config show.
type ShownConfig struct {
	File     string         `json:"file"` // config.toml, wherever it is or would be
	Exists   bool           `json:"exists"`
	Settings []ShownSetting `json:"settings"` // all of them, by their names
	Profiles []string       `json:"profiles"` // the names of the enrollment profiles, in the order of the file
}

// ShownSetting is one setting.
type ShownSetting struct {
	Name   string         `json:"name"`
	Value  string         `json:"value"` // as it is typed; empty where it is not set
	Origin setting.Origin `json:"origin"`
	About  string         `json:"about"` // what it is for
}

func newShow(streams *stdio.Streams, settings map[string]*pflag.Flag) *cobra.Command {
	var origin, asJSON bool
	command := &cobra.Command{
		Use: "show", Short: "Show every setting, its value, and where it came from",
		Long: "show lists the settings: what may stand in config.toml or in a CSE_PIV_ variable instead of being typed.\n" +
			"What is typed counts first, then the variable, then config.toml, then the default. Any setting can be\n" +
			"given to show as a flag, to see what would count. Passwords in addresses are not shown.",
		Example: "  cse-piv config show --origin\n  cse-piv config show --origin --config desk.toml --issuer local",
		RunE: func(cmd *cobra.Command, _ []string) error {
			shown, err := readShown(cmd, settings)
			if err != nil {
				return err
			}
			if asJSON {
				return stdio.JSON(streams.Out, shown)
			}
			return printShown(streams, shown, origin)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&origin, "origin", false, "say of each setting where its value came from")
	option.AddJSON(command, &asJSON)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		shared := *settings[name] // what is typed here has the value of the command's own flag
		shared.Hidden = true
		flags.AddFlag(&shared)
	}
	return command
}

func readShown(cmd *cobra.Command, settings map[string]*pflag.Flag) (ShownConfig, error) {
	shown := ShownConfig{Settings: []ShownSetting{}, Profiles: []string{}}
	path, exists, err := setting.ConfigFile(cmd)
	if err != nil {
		return shown, err
	}
	shown.File, shown.Exists = path, exists
	profiles, err := setting.ReadProfiles(cmd)
	if err != nil {
		return shown, err
	}
	for _, profile := range profiles {
		shown.Profiles = append(shown.Profiles, profile.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		flag := cmd.Flags().Lookup(name)
		_, about := pflag.UnquoteUsage(flag)
		shown.Settings = append(shown.Settings, ShownSetting{
			Name: name, Value: setting.Shown(flag), Origin: setting.OriginOf(flag),
			About: strings.TrimSuffix(about, " ("+setting.EnvironmentName(name)+")"),
		})
	}
	return shown, nil
}

func printShown(streams *stdio.Streams, shown ShownConfig, origin bool) error {
	if !shown.Exists {
		stdio.Note(streams.Err, "there is no "+shown.File+"; cse-piv config init begins one")
	}
	headings := []string{"SETTING", "VALUE"}
	if origin {
		headings = append(headings, "FROM")
	}
	table := stdio.NewTable(streams.Out, headings...)
	for _, setting := range shown.Settings {
		cells := []any{setting.Name, setting.Value}
		if origin {
			cells = append(cells, setting.Origin)
		}
		table.Row(cells...)
	}
	return table.Flush()
}
