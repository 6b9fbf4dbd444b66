package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// prompter is the enrollment's Prompter on the screen: each question becomes
// a message, and the enrollment waits for the reply or its context's end.
type prompter struct {
	run  int
	send func(tea.Msg)
	// known is the PIN that was typed a moment ago for the same person, while the
	// enrollment waited for a certificate; it answers the first question for it.
	known secret.Secret
}

var _ desk.Prompter = (*prompter)(nil)

type answer[T any] struct {
	value T
	err   error
}

// ask sends the question made with a fresh reply channel and waits.
func ask[T any](ctx context.Context, send func(tea.Msg), question func(chan<- answer[T]) tea.Msg) (T, error) {
	reply := make(chan answer[T], 1)
	send(question(reply))
	select {
	case got := <-reply:
		return got.value, got.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}

// Choose shows the choices as a list.
func (c *prompter) Choose(ctx context.Context, question enroll.Question, choices []enroll.Choice) (string, error) {
	return ask(ctx, c.send, func(reply chan<- answer[string]) tea.Msg {
		return choiceAsked{run: c.run, question: question, choices: choices, reply: reply}
	})
}

// Secret shows the PIN screen.
func (c *prompter) Secret(ctx context.Context, question enroll.SecretQuestion) (secret.Secret, error) {
	if question.ID == enroll.QuestionPIN && !question.New && question.Problem == "" && !c.known.IsZero() {
		known := c.known
		c.known = secret.Secret{}
		return known, nil
	}
	return ask(ctx, c.send, func(reply chan<- answer[secret.Secret]) tea.Msg {
		return secretAsked{run: c.run, question: question, reply: reply}
	})
}

// Confirm asks for a yes or no.
func (c *prompter) Confirm(ctx context.Context, question enroll.Question) (bool, error) {
	return ask(ctx, c.send, func(reply chan<- answer[bool]) tea.Msg {
		return agreementAsked{run: c.run, question: question, reply: reply}
	})
}

// Input has a line typed.
func (c *prompter) Input(ctx context.Context, question enroll.Question) (string, error) {
	return ask(ctx, c.send, func(reply chan<- answer[string]) tea.Msg {
		return inputAsked{run: c.run, question: question, reply: reply}
	})
}

// TypedConfirm has want typed out.
func (c *prompter) TypedConfirm(ctx context.Context, question enroll.Question, want string) error {
	agreed, err := ask(ctx, c.send, func(reply chan<- answer[bool]) tea.Msg {
		return agreementAsked{run: c.run, question: question, want: want, reply: reply}
	})
	if err == nil && !agreed {
		return enroll.ErrDeclined
	}
	return err
}

// review shows the review screen.
func (c *prompter) review(ctx context.Context, review enroll.Review) error {
	agreed, err := ask(ctx, c.send, func(reply chan<- answer[bool]) tea.Msg {
		return reviewAsked{run: c.run, review: review, reply: reply}
	})
	if err == nil && !agreed {
		return enroll.ErrDeclined
	}
	return err
}
