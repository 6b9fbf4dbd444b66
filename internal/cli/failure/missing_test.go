package failure_test

import (
	"testing"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
)

// TestConfirmError: some losses stand in the error, and no single one is left to be counted.
func TestConfirmError(t *testing.T) {
	losses := []string{"a", "b", "c", "d", "e"}
	for n, want := range map[int]string{1: " a", 3: " a; b; c", 4: " a; b; c; d", 5: " a; b; c and 2 more"} {
		err := &failure.ConfirmError{Losses: losses[:n]}
		if got := err.Error(); got != "this has to be agreed to:"+want || err.Cut() != (n > 4) {
			t.Errorf("%d: %q, %v", n, got, err.Cut())
		}
	}
}
