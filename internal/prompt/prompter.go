package prompt

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// A Terminal is an enrollment's Prompter, on a plain terminal.
var _ enroll.Prompter = (*Terminal)(nil)

// Choose lists the choices with numbers and takes one of them.
func (t *Terminal) Choose(ctx context.Context, question enroll.Question, choices []enroll.Choice) (string, error) {
	list := func() {
		t.ask(question)
		for i, choice := range choices {
			t.say("  %d  %s", i+1, choice.Text)
		}
	}
	list()
	for {
		line, err := t.Line(ctx, fmt.Sprintf("your choice (1 to %d): ", len(choices)))
		if err != nil {
			return "", err
		}
		if n, err := strconv.Atoi(line); err == nil && n >= 1 && n <= len(choices) {
			return choices[n-1].ID, nil
		}
		if word := strings.ToLower(line); word == "help" || word == "?" {
			t.say("type the number that stands before an answer, and press Enter; Ctrl+C stops, and what was done stays done")
			list()
			continue
		}
		t.say("that is none of them: type a number from 1 to %d, or help", len(choices))
	}
}

// Secret reads without echo, a new secret twice.
func (t *Terminal) Secret(ctx context.Context, question enroll.SecretQuestion) (secret.Secret, error) {
	if question.Problem != "" {
		t.say("%s", question.Problem)
	}
	for {
		value, err := t.secret(ctx, question.Text+secretRules(question)+": ")
		if err != nil {
			return secret.Secret{}, err
		}
		if question.Check != nil {
			if err := question.Check(value); err != nil {
				t.say("%v", err)
				continue
			}
		}
		if !question.New {
			return value, nil
		}
		again, err := t.secret(ctx, question.Text+", once more: ")
		if err != nil {
			return secret.Secret{}, err
		}
		if value.Equal(again) {
			return value, nil
		}
		t.say("the two were not the same: type both again")
	}
}

// secretRules says in brackets what a secret has to be, and what a wrong one
// costs.
func secretRules(question enroll.SecretQuestion) string {
	var rules []string
	if question.Rule != "" {
		rules = append(rules, question.Rule)
	}
	if !question.New && question.Tries > 0 {
		rules = append(rules, describe.Tries(question.Tries).Text)
	}
	if len(rules) == 0 {
		return ""
	}
	return " (" + strings.Join(rules, "; ") + ")"
}

// Confirm takes "yes" or "no" spelled out, so that a touch on a YubiKey, which
// types a burst of letters and Enter, answers nothing.
func (t *Terminal) Confirm(ctx context.Context, question enroll.Question) (bool, error) {
	t.sayWhatFollows(question)
	for {
		line, err := t.Line(ctx, question.Text+" yes or no: ")
		if err != nil {
			return false, err
		}
		switch strings.ToLower(line) {
		case "yes":
			return true, nil
		case "no":
			return false, nil
		}
		t.say("type the whole word, yes or no: nobody is to agree by a slip")
	}
}

// Input returns the line that was typed, without spaces around it.
func (t *Terminal) Input(ctx context.Context, question enroll.Question) (string, error) {
	t.sayWhatFollows(question)
	return t.Line(ctx, question.Text+": ")
}

// TypedConfirm returns nil when want was typed, and enroll.ErrDeclined for
// anything else.
func (t *Terminal) TypedConfirm(ctx context.Context, question enroll.Question, want string) error {
	t.ask(question)
	line, err := t.Line(ctx, fmt.Sprintf("type %s to go on, anything else to stop: ", want))
	if err != nil {
		return err
	}
	if !enroll.IsTyped(line, want) {
		return enroll.ErrDeclined
	}
	return nil
}

func (t *Terminal) ask(question enroll.Question) {
	t.say("%s", question.Text)
	t.sayWhatFollows(question)
}

func (t *Terminal) sayWhatFollows(question enroll.Question) {
	for _, loss := range question.Loss {
		t.say("  lost: %s", loss)
	}
	for _, line := range question.Follows {
		t.say("  %s", line)
	}
}
