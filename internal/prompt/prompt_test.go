package prompt_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/prompt"
	"github.com/cse-piv/cse-piv/internal/secret"
)

func ask(input string) (*prompt.Terminal, *strings.Builder) {
	var out strings.Builder
	return prompt.NewPipe(strings.NewReader(input), &out), &out
}

func TestChoiceIsAskedUntilItIsOne(t *testing.T) {
	terminal, out := ask("\n7\nx\n2\n")
	got, err := terminal.Choose(t.Context(), enroll.Question{Text: "which?"}, []enroll.Choice{{ID: "a", Text: "first"}, {ID: "b", Text: "second\x1b[31m"}})
	if err != nil || got != "b" {
		t.Fatalf("got %q, %v", got, err)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("a control character reached the terminal")
	}
}

func TestEndOfInputIsNeverAnAnswer(t *testing.T) {
	question := enroll.Question{Text: "?"}
	for name, ask := range map[string]func(*prompt.Terminal) error{
		"choose": func(p *prompt.Terminal) error {
			_, err := p.Choose(t.Context(), question, []enroll.Choice{{ID: "a"}})
			return err
		},
		"confirm": func(p *prompt.Terminal) error { _, err := p.Confirm(t.Context(), question); return err },
		"typed":   func(p *prompt.Terminal) error { return p.TypedConfirm(t.Context(), question, "") },
		"secret": func(p *prompt.Terminal) error {
			_, err := p.Secret(t.Context(), enroll.SecretQuestion{Question: question})
			return err
		},
	} {
		if err := ask(prompt.NewPipe(strings.NewReader(""), &strings.Builder{})); !errors.Is(err, prompt.ErrEndOfInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewSecretIsAskedTwiceAndChecked(t *testing.T) {
	terminal, out := ask("12\n271828\n271829\n271828\n271828\n")
	got, err := terminal.Secret(t.Context(), enroll.SecretQuestion{
		Question: enroll.Question{Text: "PIN"}, New: true,
		Check: func(s secret.Secret) error {
			if s.Len() < 6 {
				return errors.New("too short")
			}
			return nil
		},
	})
	if err != nil || !got.Equal(secret.FromString("271828")) {
		t.Fatalf("%v", err)
	}
	for _, said := range []string{"too short", "not the same"} {
		if !strings.Contains(out.String(), said) {
			t.Errorf("%q was not said", said)
		}
	}
	if strings.Contains(out.String(), "2718") {
		t.Error("the secret was shown")
	}
}

func TestConfirmationsTakeNoEnterForAnAnswer(t *testing.T) {
	// What a touched YubiKey types, and bare Enters, answer nothing.
	terminal, _ := ask("\ncccccclnefjrtbuvhgkd\ny\nYes\n")
	if agreed, err := terminal.Confirm(t.Context(), enroll.Question{Text: "?"}); err != nil || !agreed {
		t.Fatalf("%v, %v", agreed, err)
	}
	terminal, out := ask("12345679\n")
	err := terminal.TypedConfirm(t.Context(), enroll.Question{Text: "overwrite?", Loss: []string{"a key"}}, "12345678")
	if !errors.Is(err, enroll.ErrDeclined) {
		t.Errorf("another serial: %v", err)
	}
	if !strings.Contains(out.String(), "lost: a key") {
		t.Error("the loss was not said")
	}
	for typed, want := range map[string]string{"12345678": "12345678", "Ada@LAB.example": "ada@lab.example"} {
		terminal, _ = ask(typed + "\n")
		if err := terminal.TypedConfirm(t.Context(), enroll.Question{}, want); err != nil {
			t.Error(err)
		}
	}
}

func TestQuestionsEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	terminal, _ := ask("yes\n")
	if _, err := terminal.Confirm(ctx, enroll.Question{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
