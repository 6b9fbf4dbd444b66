package hint_test

import (
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/cli/hint"
)

// TestHintsOfTasks: at a desk nobody is told to add flags to what cannot be typed there.
func TestHintsOfTasks(t *testing.T) {
	for name, of := range map[string]func(desk bool) string{"used PUK": hint.ForUsedPUK, "Key History": hint.ForKeyHistory} {
		command, desk := of(false), of(true)
		if command == desk || strings.Contains(desk, " add --") || !strings.Contains(desk, "--") {
			t.Errorf("%s: on the command line %q, at a desk %q", name, command, desk)
		}
	}
	if got := hint.ForAdvisories([]string{"https://a.example", "https://b.example"}); got != "read what Yubico advises: https://a.example https://b.example" {
		t.Error(got)
	}
}
