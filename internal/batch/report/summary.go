package report

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// expiringSoon is from when on before its end a certificate is counted.
const expiringSoon = 90 * 24 * time.Hour

// Summary is what stands above the users in every report, besides the counts and the
// reasons of failures.
type Summary struct {
	// Warnings are the warnings by rule, the most frequent first.
	Warnings []WarningGroup
	// Expiring is how many registered users have a certificate in use that ends within
	// 90 days of the run; FirstEnd is when the first certificate of all ends, zero for
	// none.
	Expiring int
	FirstEnd time.Time
}

// WarningGroup is warnings of one rule. The JSON names are a contract.
type WarningGroup struct {
	Rule    string `json:"rule"`    // of cert check, "registration-repaired", "smime-baseline", or "other"
	Count   int    `json:"count"`   // users
	Example string `json:"example"` // an address, or where a row is that has none
	Message string `json:"message"` // of the example
}

// Summarise reads the users of a run once.
func Summarise(ctx context.Context, reader Reader, run ledger.Run) (Summary, error) {
	s := Summary{Warnings: []WarningGroup{}}
	index := map[string]int{}
	for entry, err := range reader.Entries(ctx, run.ID) {
		if err != nil {
			return s, err
		}
		counted := map[string]bool{}
		for _, warning := range entry.Warnings {
			rule := ruleOf(warning)
			if counted[rule] {
				continue
			}
			counted[rule] = true
			at, known := index[rule]
			if !known {
				at = len(s.Warnings)
				index[rule] = at
				s.Warnings = append(s.Warnings, WarningGroup{Rule: rule, Example: cmp.Or(entry.Email, entry.Where), Message: warning})
			}
			s.Warnings[at].Count++
		}
		end := endOf(entry)
		if end.IsZero() || entry.State == ledger.StateFailed || entry.TakenOver {
			continue
		}
		if s.FirstEnd.IsZero() || end.Before(s.FirstEnd) {
			s.FirstEnd = end
		}
		if end.Sub(run.Started) < expiringSoon {
			s.Expiring++
		}
	}
	slices.SortStableFunc(s.Warnings, func(a, b WarningGroup) int {
		return cmp.Or(b.Count-a.Count, cmp.Compare(a.Rule, b.Rule))
	})
	return s, nil
}

// ruleAtEnd is how a warning names its rule, such as "(leaf-crl-public)".
var ruleAtEnd = regexp.MustCompile(`\(([a-z0-9]+(?:-[a-z0-9]+)+)\)$`)

func ruleOf(warning string) string {
	if found := ruleAtEnd.FindStringSubmatch(warning); found != nil {
		return found[1]
	}
	return "other"
}

// endOf is when the first of a user's certificates in use ends; zero for none.
func endOf(entry ledger.Entry) time.Time {
	var first time.Time
	for _, pair := range entry.Pairs {
		if pair.Use != certificate.UseHistory && !pair.NotAfter.IsZero() && (first.IsZero() || pair.NotAfter.Before(first)) {
			first = pair.NotAfter
		}
	}
	return first
}
