package enroll

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/secret"
)

// Prompter asks a person. The full-screen wizard, a plain terminal and a run
// with flags alone each implement it. A question that cannot be asked is a
// *MissingError; an end of input is an error and never an empty answer.
type Prompter interface {
	// Choose returns the ID of one of the choices.
	Choose(ctx context.Context, question Question, choices []Choice) (string, error)
	// Secret reads without echo. A new secret is asked for twice.
	Secret(ctx context.Context, question SecretQuestion) (secret.Secret, error)
	// Confirm returns whether the person agrees; there is no default answer.
	Confirm(ctx context.Context, question Question) (bool, error)
	// TypedConfirm returns nil only when the person typed want.
	TypedConfirm(ctx context.Context, question Question, want string) error
}

// Question is what a person is asked.
type Question struct {
	ID   string // stable, for prompters that know the answers beforehand
	Text string // one sentence
	Loss []string
	// Flag is the command-line flag that answers the question without asking.
	Flag string
}

// QuestionPIN is the ID of the question for the card's PIN, which its user
// answers; other secrets are the operator's.
const QuestionPIN = "pin"

// Choice is one of the answers to choose from.
type Choice struct{ ID, Text string }

// SecretQuestion asks for a PIN, PUK or management key.
type SecretQuestion struct {
	Question
	New     bool
	Rule    string                    // of form, for people: "6 to 8 characters"
	Tries   int                       // left before the card blocks it; piv.UnknownTries where there is no counter
	Problem string                    // why it is asked for again
	Check   func(secret.Secret) error // rules of form; nil for none
}

// MissingError is returned for a question that nobody was there to answer.
type MissingError struct {
	What string
	Flag string
}

// Error names the flag that would have answered.
func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is needed, and there is no terminal to ask at", e.What)
}

// ErrDeclined is returned when a person said no; nothing was changed by the step that
// asked.
var ErrDeclined = fmt.Errorf("declined")

// confirm asks a person to agree. It returns refused where there is nobody to ask, and
// an ErrDeclined that wraps refused after a no.
func (e *enrollment) confirm(ctx context.Context, question Question, refused error) error {
	agreed, err := e.deps.Prompter.Confirm(ctx, question)
	var missing *MissingError
	switch {
	case errors.As(err, &missing):
		return refused
	case err == nil && !agreed:
		return fmt.Errorf("%w: %w", ErrDeclined, refused)
	}
	return err
}

// Unattended answers every question with a *MissingError: flags alone.
type Unattended struct{}

// Choose is never possible unattended.
func (Unattended) Choose(_ context.Context, q Question, _ []Choice) (string, error) {
	return "", &MissingError{What: q.Text, Flag: q.Flag}
}

// Secret is never possible unattended.
func (Unattended) Secret(_ context.Context, q SecretQuestion) (secret.Secret, error) {
	return secret.Secret{}, &MissingError{What: q.Text, Flag: q.Flag}
}

// Confirm is never possible unattended.
func (Unattended) Confirm(_ context.Context, q Question) (bool, error) {
	return false, &MissingError{What: q.Text, Flag: q.Flag}
}

// TypedConfirm is never possible unattended.
func (Unattended) TypedConfirm(_ context.Context, q Question, _ string) error {
	return &MissingError{What: "agreement that " + q.Text, Flag: q.Flag}
}
