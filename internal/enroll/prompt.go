package enroll

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
	// TypedConfirm returns nil only when the person typed want, as IsTyped says.
	TypedConfirm(ctx context.Context, question Question, want string) error
}

// Question is what a person is asked.
type Question struct {
	ID   QuestionID
	Text string // one sentence
	Loss []string
	// Follows says what comes of a yes, where that is not loss alone; a sentence each.
	Follows []string
}

// QuestionID names a question that an enrollment asks. It is stable, for prompters that
// know the answers beforehand.
type QuestionID string

// The questions of an enrollment.
const (
	QuestionPIN           QuestionID = "pin" // which the card's user answers; other secrets are the operator's
	QuestionManagementKey QuestionID = "management-key"
	QuestionNewCard       QuestionID = "new-card"      // whether nobody has set its PIN
	QuestionLastTry       QuestionID = "last-try"      // of the PIN: whether to use it
	QuestionNoPIN         QuestionID = "pin-never"     // whether a key may ask for no PIN
	QuestionUnattested    QuestionID = "unattested"    // the card's serial number, for a key that the card does not attest
	QuestionOccupied      QuestionID = "occupied"      // what is done with a slot that is not empty
	QuestionOverwrite     QuestionID = "overwrite"     // the card's serial number, for the loss of a key
	QuestionOtherKey      QuestionID = "anew"          // whether another key than the one begun with is meant
	QuestionReplaceCard   QuestionID = "replace-card"  // whether Gmail moves from another card
	QuestionChangeIssuer  QuestionID = "change-issuer" // whether another issuer than before is meant
	QuestionEscrow        QuestionID = "escrow"        // where the PUK and management key are kept
)

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
	What     string // was asked for
	Question QuestionID
	Want     string // what would have had to be typed; empty for any answer
}

// Error says what is missing or, of something that is to be confirmed by what has to be
// typed, what that is.
func (e *MissingError) Error() string {
	if e.Want != "" {
		return e.What
	}
	return e.What + " is needed"
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

// IsTyped reports whether somebody typed, or a flag gave, what [Prompter.TypedConfirm] wants: an address
// in capitals is the same one.
func IsTyped(typed, want string) bool { return strings.EqualFold(strings.TrimSpace(typed), want) }

// Unattended answers every question with a *MissingError: flags alone.
type Unattended struct{}

// Choose is never possible unattended.
func (Unattended) Choose(_ context.Context, q Question, _ []Choice) (string, error) {
	return "", &MissingError{What: q.Text, Question: q.ID}
}

// Secret is never possible unattended.
func (Unattended) Secret(_ context.Context, q SecretQuestion) (secret.Secret, error) {
	return secret.Secret{}, &MissingError{What: q.Text, Question: q.ID}
}

// Confirm is never possible unattended.
func (Unattended) Confirm(_ context.Context, q Question) (bool, error) {
	return false, &MissingError{What: q.Text, Question: q.ID}
}

// TypedConfirm is never possible unattended.
func (Unattended) TypedConfirm(_ context.Context, q Question, want string) error {
	return &MissingError{What: q.Text, Question: q.ID, Want: want}
}
