package plain

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// Terminal is the enrollment's Prompter on a plain terminal.
var _ enroll.Prompter = (*Terminal)(nil)

// Choose lists the choices with numbers and takes one of them.
func (t *Terminal) Choose(ctx context.Context, question enroll.Question, choices []enroll.Choice) (string, error) {
	t.ask(question)
	for i, choice := range choices {
		fmt.Fprintf(t.out, "  %d  %s\n", i+1, safetext.Clean(choice.Text))
	}
	for {
		fmt.Fprintf(t.out, "your choice (1 to %d): ", len(choices))
		line, err := t.readLine(ctx, true)
		if err != nil {
			return "", err
		}
		if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && n >= 1 && n <= len(choices) {
			return choices[n-1].ID, nil
		}
		fmt.Fprintln(t.out, "that is none of them")
	}
}

// Secret reads without echo, a new secret twice.
func (t *Terminal) Secret(ctx context.Context, question enroll.SecretQuestion) (secret.Secret, error) {
	if question.Problem != "" {
		fmt.Fprintln(t.out, safetext.Clean(question.Problem))
	}
	for {
		fmt.Fprintf(t.out, "%s%s: ", safetext.Clean(question.Text), safetext.Clean(secretRules(question)))
		line, err := t.readLine(ctx, false)
		if err != nil {
			return secret.Secret{}, err
		}
		value := secret.FromString(line)
		if question.Check != nil {
			if err := question.Check(value); err != nil {
				fmt.Fprintf(t.out, "%s\n", safetext.Clean(err.Error()))
				continue
			}
		}
		if !question.New {
			return value, nil
		}
		fmt.Fprintf(t.out, "%s, once more: ", safetext.Clean(question.Text))
		again, err := t.readLine(ctx, false)
		if err != nil {
			return secret.Secret{}, err
		}
		if value.Equal(secret.FromString(again)) {
			return value, nil
		}
		fmt.Fprintln(t.out, "the two were not the same: type both again")
	}
}

// secretRules says in brackets what a secret has to be, and what a wrong one
// costs.
func secretRules(question enroll.SecretQuestion) string {
	var rules []string
	if question.Rule != "" {
		rules = append(rules, question.Rule)
	}
	switch {
	case question.New || question.Tries < 1:
	case question.Tries == 1:
		rules = append(rules, "1 try left: a wrong one blocks it")
	default:
		rules = append(rules, fmt.Sprintf("%d tries left", question.Tries))
	}
	if len(rules) == 0 {
		return ""
	}
	return " (" + strings.Join(rules, "; ") + ")"
}

// Confirm takes "yes" or "no" spelled out, so that a touch on a YubiKey, which
// types a burst of letters and Enter, answers nothing.
func (t *Terminal) Confirm(ctx context.Context, question enroll.Question) (bool, error) {
	for _, loss := range question.Loss {
		fmt.Fprintf(t.out, "  lost: %s\n", safetext.Clean(loss))
	}
	for {
		fmt.Fprintf(t.out, "%s yes or no: ", safetext.Clean(question.Text))
		line, err := t.readLine(ctx, true)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "yes":
			return true, nil
		case "no":
			return false, nil
		}
	}
}

// TypedConfirm returns nil when want was typed, and enroll.ErrDeclined for
// anything else.
func (t *Terminal) TypedConfirm(ctx context.Context, question enroll.Question, want string) error {
	t.ask(question)
	fmt.Fprintf(t.out, "type %s to go on, anything else to stop: ", safetext.Clean(want))
	line, err := t.readLine(ctx, true)
	if err != nil {
		return err
	}
	if strings.TrimSpace(line) != want {
		return enroll.ErrDeclined
	}
	return nil
}

func (t *Terminal) ask(question enroll.Question) {
	fmt.Fprintln(t.out, safetext.Clean(question.Text))
	for _, loss := range question.Loss {
		fmt.Fprintf(t.out, "  lost: %s\n", safetext.Clean(loss))
	}
}
