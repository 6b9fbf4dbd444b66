package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/cli/hint"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// An interrupt hides nothing that went wrong besides.
func TestWhatAPersonIsTold(t *testing.T) {
	stopped := &enroll.StepError{Step: enroll.Step{Title: "read the card"}, Err: context.Canceled}
	full := fmt.Errorf("closing the ledger: %w", errors.New("the disk is full"))
	const interrupted = "cse-piv: interrupted; run the same command again to go on\n"
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"an interrupt":               {context.Canceled, interrupted},
		"in a step":                  {stopped, interrupted},
		"with nothing else":          {errors.Join(stopped, nil), interrupted},
		"with something else":        {errors.Join(stopped, full), "cse-piv: error: closing the ledger: the disk is full\n" + interrupted},
		"joined with that twice":     {errors.Join(errors.Join(full, context.Canceled), nil), "cse-piv: error: closing the ledger: the disk is full\n" + interrupted},
		"with something with a hint": {errors.Join(context.Canceled, piv.ErrNoReader), "cse-piv: error: no smart card reader\ncse-piv: hint: " + hint.For(piv.ErrNoReader) + "\n" + interrupted},
		"no interrupt":               {full, "cse-piv: error: closing the ledger: the disk is full\n"},
		"readers that are refused":   {piv.ErrAccessDenied, "cse-piv: error: the smart card service refuses this user\ncse-piv: hint: " + hint.For(piv.ErrAccessDenied) + "\n"},
	} {
		var out strings.Builder
		if printError(&stdio.Streams{Err: &out}, test.err, ""); out.String() != test.want {
			t.Errorf("%s: it was told\n%swant\n%s", name, out.String(), test.want)
		}
	}
}
