// Package profilecmd is profile: the enrollment profiles of config.toml, and whether a card is as
// one of them asks for.
package profilecmd

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/config"
)

// New returns the command profile.
func New(streams *stdio.Streams) *cobra.Command {
	command := &cobra.Command{Use: "profile", Short: "Show the enrollment profiles, and check cards against them", RunE: usage.ShowHelp}
	command.AddCommand(newList(streams), newShow(streams), newCheck(streams))
	return command
}

// ProfilesJSON is the JSON of profile list.
type ProfilesJSON struct {
	Profiles []ListedProfile `json:"profiles"` // in the order of the file
}

// ListedProfile is one in the JSON of profile list.
type ListedProfile struct {
	Name        string        `json:"name"`
	Description string        `json:"description,omitempty"`
	SHA256      string        `json:"sha256"` // of what it says, as receipts have it
	Origin      config.Origin `json:"origin"` // where it stands
}

// ShownProfile is the JSON of profile show.
type ShownProfile struct {
	ListedProfile
	Values []setting.ProfileValue `json:"values"` // in the order of the file
}

func listed(profile *setting.EnrollmentProfile) ListedProfile {
	return ListedProfile{Name: profile.Name, Description: profile.Description, SHA256: profile.SHA256, Origin: profile.Origin}
}

func newList(streams *stdio.Streams) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use: "list", Short: "List the enrollment profiles of config.toml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			profiles, err := setting.ReadProfiles(cmd)
			if err != nil {
				return err
			}
			if asJSON {
				all := ProfilesJSON{Profiles: []ListedProfile{}}
				for _, profile := range profiles {
					all.Profiles = append(all.Profiles, listed(profile))
				}
				return stdio.JSON(streams.Out, all)
			}
			table := stdio.NewTable(streams.Out, "PROFILE", "DESCRIPTION", "FROM")
			for _, profile := range profiles {
				table.Row(profile.Name, profile.Description, profile.Origin)
			}
			return table.Flush()
		},
	}
	option.AddJSON(command, &asJSON)
	return command
}

func newShow(streams *stdio.Streams) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use: "show [NAME]", Short: "Show what an enrollment profile says",
		Long: "show prints what the profile says, with the lines of config.toml, and the SHA-256 by which receipts name\n" +
			"these contents. The name may be left out where there is only one.",
		RunE: func(cmd *cobra.Command, args []string) error {
			profile, err := named(cmd, args)
			if err != nil {
				return err
			}
			shown := ShownProfile{ListedProfile: listed(profile), Values: profile.Values()}
			if asJSON {
				return stdio.JSON(streams.Out, shown)
			}
			table := stdio.NewTable(streams.Out, "profile", shown.Name, shown.Origin.String())
			table.Row("SHA-256", shown.SHA256)
			for _, value := range shown.Values {
				table.Row(value.Key, value.Text(), value.Origin)
			}
			return table.Flush()
		},
	}
	option.AddJSON(command, &asJSON)
	return command
}

// named returns the profile of that name, or the only one.
func named(cmd *cobra.Command, args []string) (*setting.EnrollmentProfile, error) {
	profiles, err := setting.ReadProfiles(cmd)
	if err != nil {
		return nil, err
	}
	name := strings.Join(args, "")
	if name == "" && len(profiles) == 1 {
		return profiles[0], nil
	}
	if at := slices.IndexFunc(profiles, func(p *setting.EnrollmentProfile) bool { return p.Name == name }); at >= 0 {
		return profiles[at], nil
	}
	var known []string
	for _, profile := range profiles {
		known = append(known, profile.Name)
	}
	switch {
	case name == "" && len(known) == 0:
		return nil, usage.Errorf("config.toml has no enrollment profile: nobody wrote [profile.NAME] into it")
	case name == "":
		return nil, usage.Errorf("which of the enrollment profiles: %s", strings.Join(known, ", "))
	}
	return nil, usage.Errorf("%w", &config.UnknownProfileError{Name: name, Known: known})
}
