package prompt

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestKeysThatEditASecret(t *testing.T) {
	for typed, want := range map[string]string{
		"271828\r":              "271828",
		"27182x\x7f8\r":         "271828",
		"2718é\x08\x0828\r":     "27128",
		"\x7f271828\n":          "271828",
		"123456\x15271828\r":    "271828", // Ctrl+U
		"123456\x17271828\r":    "271828", // Ctrl+W
		"271828\r\n123456\r":    "271828",
		"271828\x04\r":          "271828\x04",
		strings.Repeat("1", 12): strings.Repeat("1", 12), // the input ends
	} {
		if got, err := readAnswer(strings.NewReader(typed), true); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	if got, err := readAnswer(strings.NewReader("a\x7f\x15\r\n"), false); err != nil || string(got) != "a\x7f\x15" {
		t.Errorf("without a raw terminal: %q, %v", got, err)
	}
	for typed, want := range map[string]error{"12\x03": context.Canceled, "\x04": ErrEndOfInput, "": ErrEndOfInput} {
		if got, err := readAnswer(strings.NewReader(typed), true); !errors.Is(err, want) || got != nil {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	if _, err := readAnswer(strings.NewReader(strings.Repeat("1", maxLine+1)), true); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a line without an end: %v", err)
	}
}
