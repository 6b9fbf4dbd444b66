package option

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"

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
	case given != "" && enroll.IsTyped(given, want):
		return nil
	case given != "":
		return usage.Errorf("%w", &failure.ConfirmError{Want: want, Losses: slices.Concat(question.Loss, question.Follows), Given: given})
	}
	person := a.person()
	if person == nil {
		return &failure.ConfirmError{Want: want, Losses: slices.Concat(question.Loss, question.Follows)}
	}
	return person.TypedConfirm(ctx, question, want)
}

// ConfirmUsage is the help of a flag that agrees to what users lose.
const ConfirmUsage = "agree to what stops working, without being asked: the user's `address`, or where several users lose something how many they are, such as 12, as --dry-run says"

// WantOf returns what has to be typed for what users lose: the address of the only one, or how many
// they are.
func WantOf(users []string) string {
	if len(users) == 1 {
		return users[0]
	}
	return strconv.Itoa(len(users))
}

// SayConfirm tells a person of a dry run what the flag of that name takes; nothing for "".
func SayConfirm(messages io.Writer, flag, want string) {
	if want != "" {
		stdio.Note(messages, "without --dry-run this is asked for, or agreed to with --"+flag+" "+want)
	}
}

// ConfirmUsers is [Asker.Confirm] for what those users lose; given is what the flag of that name says.
func (a *Asker) ConfirmUsers(ctx context.Context, flag, given string, users []string, question enroll.Question) error {
	err := a.Confirm(ctx, given, WantOf(users), question)
	if missing, found := errors.AsType[*failure.ConfirmError](err); found {
		missing.Flag = flag
		if len(users) > 1 {
			missing.Users = len(users)
		}
	}
	return err
}
