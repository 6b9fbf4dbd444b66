package tui

import (
	"context"
	"errors"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// answering is a conversation with somebody who answers everything alike.
func answering(run int, err error, yes bool, word string) *prompter {
	return &prompter{run: run, send: func(msg tea.Msg) {
		switch msg := msg.(type) {
		case secretAsked:
			msg.reply <- answer[secret.Secret]{value: secret.FromString(word), err: err}
		case choiceAsked:
			msg.reply <- answer[string]{value: word, err: err}
		case agreementAsked:
			msg.reply <- answer[bool]{value: yes, err: err}
		case reviewAsked:
			msg.reply <- answer[bool]{value: yes, err: err}
		}
	}}
}

func TestKnownPINAnswersTheFirstQuestionForItAlone(t *testing.T) {
	talk := answering(1, nil, true, wrongPIN)
	talk.known = secret.FromString(canaryPIN)
	ask := func(question enroll.SecretQuestion) string {
		got, err := talk.Secret(t.Context(), question)
		if err != nil {
			t.Fatal(err)
		}
		return string(got.Reveal())
	}
	management, wrong := pinQuestion(3), pinQuestion(2)
	management.ID, wrong.Problem = "management-key", "that was not the PIN"
	for name, question := range map[string]enroll.SecretQuestion{"a management key": management, "a new PIN": newPINQuestion(), "a PIN after a wrong one": wrong} {
		if ask(question) == canaryPIN {
			t.Errorf("it answered %s", name)
		}
	}
	if ask(pinQuestion(3)) != canaryPIN {
		t.Error("it did not answer")
	}
	if ask(pinQuestion(3)) == canaryPIN {
		t.Error("it answered twice")
	}
}

func TestRefusalsAreDeclined(t *testing.T) {
	no := answering(1, nil, false, "")
	if err := no.TypedConfirm(t.Context(), enroll.Question{}, "12345678"); !errors.Is(err, enroll.ErrDeclined) {
		t.Errorf("another word came to %v", err)
	}
	if err := no.review(t.Context(), enroll.Review{}); !errors.Is(err, enroll.ErrDeclined) {
		t.Errorf("a review that was not agreed to came to %v", err)
	}
	if agreed, err := no.Confirm(t.Context(), enroll.Question{}); agreed || err != nil {
		t.Errorf("no came to %v and %v", agreed, err)
	}
	yes := answering(1, nil, true, "overwrite")
	if err := errors.Join(yes.TypedConfirm(t.Context(), enroll.Question{}, "12345678"), yes.review(t.Context(), enroll.Review{})); err != nil {
		t.Error(err)
	}
	if got, err := yes.Choose(t.Context(), enroll.Question{}, nil); got != "overwrite" || err != nil {
		t.Errorf("the choice came to %q and %v", got, err)
	}
}

func TestQuestionsEndWithTheEnrollment(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	nobody := &prompter{send: func(tea.Msg) {}}
	broken := answering(1, context.Canceled, true, "yes")
	for name, talk := range map[string]*prompter{"nobody": nobody, "a wizard that ends": broken} {
		if _, err := talk.Secret(ctx, pinQuestion(3)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: a secret came to %v", name, err)
		}
		if _, err := talk.Choose(ctx, enroll.Question{}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: a choice came to %v", name, err)
		}
		if agreed, err := talk.Confirm(ctx, enroll.Question{}); agreed && err == nil {
			t.Errorf("%s: agreed", name)
		}
		if err := talk.TypedConfirm(ctx, enroll.Question{}, "1"); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: a typed word came to %v", name, err)
		}
		if err := talk.review(ctx, enroll.Review{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: a review came to %v", name, err)
		}
	}
}
