package certcmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/smime"
	"github.com/cse-piv/cse-piv/internal/smime/baseline"
)

// RulesJSON is the output of cert rules --json; the names are a contract.
type RulesJSON struct {
	Rules []ruleJSON `json:"rules"`
}

// ruleJSON is a rule for certificates.
type ruleJSON struct {
	ID       string         `json:"id"`
	Severity smime.Severity `json:"severity"`
	Profile  smime.Profile  `json:"profile,omitempty"` // "public": of Google's profile, which a relaxed validation profile lifts
	Where    string         `json:"where,omitempty"`   // the certificate's field
	Title    string         `json:"title"`             // what the rule asks for
	Why      string         `json:"why"`               // why it matters
	Ask      string         `json:"ask"`               // what to ask the authority for
	Source   string         `json:"source"`            // who says so
}

func newCertRules(streams *stdio.Streams) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use: "rules", Short: "Print the rules by which certificates are checked",
		RunE: func(*cobra.Command, []string) error {
			var printed RulesJSON
			for _, r := range baseline.All() {
				printed.Rules = append(printed.Rules, ruleJSON(r))
			}
			if asJSON {
				return stdio.JSON(streams.Out, printed)
			}
			for _, r := range printed.Rules {
				if _, err := fmt.Fprintf(streams.Out, "%s (%s): %s\n    why: %s\n    what to do: %s\n    source: %s\n", r.ID, r.Severity, r.Title, r.Why, r.Ask, r.Source); err != nil {
					return err
				}
			}
			return nil
		},
	}
	option.AddJSON(command, &asJSON)
	return command
}
