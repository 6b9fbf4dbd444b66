package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/registered"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// TestReasonsOfReplacing: the table in the documentation says what follows from each reason
// with which a card is replaced.
func TestReasonsOfReplacing(t *testing.T) {
	page, err := os.ReadFile("../../docs/how-to/the-second-day.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range termination.Rules() {
		if rule.Reason == termination.ReasonLeft || rule.Reason == termination.ReasonWrongPerson {
			continue
		}
		keyPairs, certificates := "left", "left"
		if rule.Disable {
			keyPairs = "disabled"
		}
		if rule.Revocation != 0 {
			certificates = "revoked, `" + certificate.RevocationReason(rule.Revocation) + "`"
		}
		if row := fmt.Sprintf("| `%s` | %s | %s | %s |\n", rule.Reason, keyPairs, certificates, rule.Why); !strings.Contains(string(page), row) {
			t.Errorf("the page has no row %s", row)
		}
	}
}

// TestChangedMeanwhile: somebody else's change at the same time has an exit code, a name and a
// hint of its own.
func TestChangedMeanwhile(t *testing.T) {
	for _, carried := range []bool{false, true} {
		err := fmt.Errorf("lost: %w", &registered.ChangedError{Carried: carried})
		if code, reason := failure.ExitCode(err), failure.Reason(err); code != failure.ExitError || reason != "changed-meanwhile" || !strings.Contains(hint.For(err), "cse-piv status EMAIL") {
			t.Errorf("%v: %d, %s, %s", err, code, reason, hint.For(err))
		}
	}
}
