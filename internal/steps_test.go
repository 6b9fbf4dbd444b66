package internal_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cse-piv/cse-piv/internal/enroll"
)

// TestStepsInTheTable: ARCHITECTURE.md has a row for each step, in the plan's order.
func TestStepsInTheTable(t *testing.T) {
	text, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	var plan, rows []string
	for _, step := range enroll.NewPlan(enroll.Request{Keys: make([]enroll.KeyRequest, 1), Review: true, Renew: enroll.RenewNewKey, Copies: make([]enroll.KeyCopy, 1)}) {
		plan = append(plan, step.ID)
	}
	for _, match := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		rows = append(rows, match[1])
	}
	if !cmp.Equal(plan, rows) {
		t.Errorf("plan (-), table (+):\n%s", cmp.Diff(plan, rows))
	}
}
