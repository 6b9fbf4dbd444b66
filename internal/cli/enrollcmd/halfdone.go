package enrollcmd

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/prompt"
)

// tellHalfDone says what stands on the card of somebody whose enrollment a person stopped: by an
// interrupt, a no or the end of the input. The evidence tells it.
func tellHalfDone(messages io.Writer, evidence, email string, err error) {
	if !errors.Is(err, context.Canceled) && !errors.Is(err, enroll.ErrDeclined) && !errors.Is(err, prompt.ErrEndOfInput) {
		return
	}
	progress, err := enroll.ReadProgress(evidence, email, 0)
	if err != nil {
		return // what is told is why the command ended
	}
	for _, value := range describe.Interrupted(progress) {
		stdio.Note(messages, strings.TrimSpace(value.Label+" "+value.Text))
	}
}
