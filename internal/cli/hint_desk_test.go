package cli

import (
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// TestHintsAtADesk: what can be answered or chosen there is not said with flags.
func TestHintsAtADesk(t *testing.T) {
	for _, err := range []error{
		piv.ErrManagementKey, &piv.UnsupportedError{}, &enroll.OccupiedError{}, &enroll.EmptyError{}, &enroll.LimitedUseError{}, &enroll.NotNewError{Err: &piv.WrongPINError{Tries: 2}},
	} {
		if hint := deskHint(err); hint == "" || strings.Contains(hint, "--") {
			t.Errorf("%T: %q", err, hint)
		}
		if hint := hintFor(err); !strings.Contains(hint, "--") {
			t.Errorf("%T: on the command line %q", err, hint)
		}
	}
}
