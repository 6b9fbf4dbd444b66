package option

import (
	"context"
	"strings"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/prompt"
)

// Confirm returns nil where a flag or a person gives what has to be typed for a loss.
func Confirm(ctx context.Context, streams *stdio.Streams, given, want string, question enroll.Question) error {
	switch {
	case given != "" && strings.EqualFold(strings.TrimSpace(given), want):
		return nil
	case given != "":
		return usage.Errorf("--confirm %s is not what has to be confirmed, which is %s", given, want)
	case !streams.Terminal:
		return &failure.ConfirmError{Want: want, Losses: question.Loss}
	}
	terminal, err := prompt.Open()
	if err != nil {
		return &failure.ConfirmError{Want: want, Losses: question.Loss}
	}
	defer terminal.Close()
	return terminal.TypedConfirm(ctx, question, want)
}
