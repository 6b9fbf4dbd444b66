package plain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// run carries out the plan, to the receipt or to what stands in its way.
func (f *flow) run(ctx context.Context, s *serving) (turn, error) {
	user := &user{Terminal: f.Terminal, serving: s, tell: Progress(f.Out)}
	receipt, err := f.desk.Enroll(ctx, s.request, desk.FrontEnd{Prompter: user, Notify: user.notify, Review: f.review})
	f.entries[s.entry] = f.desk.After(ctx, f.entries[s.entry].Person, s.request.Serial, err)
	f.failures.Note(s.person.Email, err)
	var waiting *issuer.WaitingError
	switch {
	case err == nil:
		return goOn, Receipt(f.receipts, receipt)
	case ctx.Err() != nil || errors.Is(err, prompt.ErrEndOfInput):
		return stop, err
	case errors.As(err, &waiting):
		s.request = s.request.Again(err)
		next, err := f.await(ctx, s)
		if next == goOn {
			return again, err
		}
		return next, err
	}
	s.pin, s.request = secret.Secret{}, s.request.Again(err)
	what := "the enrollment"
	var step *enroll.StepError
	if errors.As(err, &step) {
		what = step.Step.Title
	}
	return f.trouble(ctx, s, what, err, again, replan, park, stop)
}

// user is the person who is asked by an enrollment.
type user struct {
	*prompt.Terminal
	serving *serving
	tell    func(enroll.Event)
	note    string // the latest one
}

func (u *user) notify(event enroll.Event) {
	if event.State == enroll.StateNote {
		u.note = event.Message
	}
	u.tell(event)
}

// Secret hands the keyboard to the user. A PIN that was typed before the person
// waited for their certificate answers once.
func (u *user) Secret(ctx context.Context, question enroll.SecretQuestion) (secret.Secret, error) {
	if question.ID != enroll.QuestionPIN {
		return u.Terminal.Secret(ctx, question)
	}
	known := u.serving.pin
	u.serving.pin = secret.Secret{}
	if !question.New && question.Problem == "" && !known.IsZero() && time.Since(u.serving.typed) < desk.PINKept {
		u.serving.pin = known
		return known, nil
	}
	if question.Problem == u.note {
		question.Problem = "" // it was just said
	}
	fmt.Fprintln(u.Out, "hand the keyboard to the user; nothing of what is typed is shown")
	pin, err := u.Terminal.Secret(ctx, question)
	u.serving.pin, u.serving.typed = pin, time.Now()
	return pin, err
}
