package option

import (
	"context"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// Confirm is [Asker.Confirm] of whoever sits at the terminal.
func Confirm(ctx context.Context, streams *stdio.Streams, given, want string, question enroll.Question) error {
	ask := Asker{Streams: streams}
	defer ask.Close()
	return ask.Confirm(ctx, given, want, question)
}

// Confirm returns nil where a flag or a person gives what has to be typed for a loss.
func (a *Asker) Confirm(ctx context.Context, given, want string, question enroll.Question) error {
	switch {
	case given != "" && strings.EqualFold(strings.TrimSpace(given), want):
		return nil
	case given != "":
		return usage.Errorf("--confirm %s is not what has to be confirmed, which is %s", given, want)
	}
	person := a.person()
	if person == nil {
		return &failure.ConfirmError{Want: want, Losses: slices.Concat(question.Loss, question.Follows)}
	}
	return person.TypedConfirm(ctx, question, want)
}
