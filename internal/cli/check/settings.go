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
