package enrollcmd

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/durable"
)

// readRoster reads the roster. Of the desk's domain nothing is known but in the practice
// lab: a service account is good for each domain that delegated to it.
func (o *Options) readRoster(ctx context.Context) (desk.Roster, error) {
	if o.Roster == "" {
		return desk.Roster{People: o.Persons}, nil
	}
	file, err := durable.Open(o.Roster)
	if err != nil {
		return desk.Roster{}, usage.Errorf("--roster: %w", err)
	}
	defer file.Close()
	roster, err := desk.ReadRoster(ctx, file)
	if err != nil {
		return desk.Roster{}, usage.Errorf("--roster %s: %w", o.Roster, err)
	}
	domain := ""
	if o.Practice != nil {
		domain = o.Practice.Domain()
	}
	roster.MarkOtherDomains(domain)
	return roster, nil
}

// rosterChecks say what was read of the roster, and each line that was not.
func rosterChecks(path string, roster desk.Roster) []desk.Check {
	if path == "" {
		return nil
	}
	summary := desk.Check{Name: "roster", State: desk.CheckOK, Detail: fmt.Sprintf("%s: people: %d", filepath.Base(path), len(roster.People))}
	if n := len(roster.LeftOut); n > 0 {
		summary.State, summary.Fix = desk.CheckWarning, "go on without them, or stop, correct them and start again: who is done stays done"
		summary.Detail += fmt.Sprintf("; lines that cannot be used and are left out: %d", n)
	}
	checks := []desk.Check{summary}
	const most = 1000 // nobody reads more
	for _, left := range roster.LeftOut[:min(len(roster.LeftOut), most)] {
		checks = append(checks, desk.Check{Name: fmt.Sprintf("  line %d", left.Line), State: desk.CheckWarning, Detail: left.Err.Error()})
	}
	for _, note := range roster.Notes {
		checks = append(checks, desk.Check{Name: "roster", State: desk.CheckWarning, Detail: note})
	}
	return checks
}
