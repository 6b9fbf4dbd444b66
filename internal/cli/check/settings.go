package check

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/setting"
	"github.com/cse-piv/cse-piv/internal/desk"
)

// settings says of each setting that is not the default where its value came from.
func (s Setup) settings(context.Context) desk.Check {
	var from []string
	s.Flags.VisitAll(func(flag *pflag.Flag) {
		if origin := setting.OriginOf(flag); origin.Kind != setting.OriginDefault && flag.Name != "json" {
			from = append(from, fmt.Sprintf("%s = %s (%s)", flag.Name, setting.Shown(flag), origin))
		}
	})
	if len(from) == 0 {
		return ok("all are the defaults")
	}
	return ok("%s", strings.Join(from, "; "))
}

// profile says which enrollment profile is followed.
func (s Setup) profile(context.Context) desk.Check {
	if s.Profile != "" {
		return ok("%s", s.Profile)
	}
	var names []string
	for _, choice := range s.Profiles {
		names = append(names, choice.ID)
	}
	return ok("one of %s is chosen for each enrollment; --profile names it", strings.Join(names, ", "))
}
