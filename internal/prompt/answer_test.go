package prompt

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestKeysThatEditASecret(t *testing.T) {
	for typed, want := range map[string]string{
		"271828\r":                               "271828",
		"27182x\x7f8\r":                          "271828",
		"2718é\x08\x0828\r":                      "27128",
		"\x7f271828\n":                           "271828",
		"123456\x15271828\r":                     "271828", // Ctrl+U
		"123456\x17271828\r":                     "271828", // Ctrl+W
		"271828\r\n123456\r":                     "271828",
		"271828\x04\r":                           "271828", // Ctrl+D
		"71828\x1b[H2\r":                         "271828", // Home
		"71828\x1b[1~2\r":                        "271828",
		"27182\x01\x1bOF8\r":                     "271828",                // Ctrl+A, End
		"x271828\x01\x1b[3~\r":                   "271828",                // Ctrl+A, Delete
		"27828\x1b[D\x1b[D1\x05\x08\x1b[1;5D8\r": "278128",                // Left, Left, Ctrl+E, and a key that is none here
		"271828\x1b[24~\t\r":                     "271828",                // F12, tab
		"\x1b271828\r":                           "271828",                // Escape
		strings.Repeat("1", 12):                  strings.Repeat("1", 12), // the input ends
	} {
		if got, err := readSecret(strings.NewReader(typed)); err != nil || string(got.Reveal()) != want {
			t.Errorf("%q: %q, %v", typed, got.Reveal(), err)
		}
	}
	if got, err := readAnswer(strings.NewReader("a\x7f\x15\r\n")); err != nil || string(got) != "a\x7f\x15" {
		t.Errorf("without a raw terminal: %q, %v", got, err)
	}
	for typed, want := range map[string]error{"12\x03": context.Canceled, "\x04": ErrEndOfInput, "": ErrEndOfInput} {
		if got, err := readSecret(strings.NewReader(typed)); !errors.Is(err, want) || !got.IsZero() {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	endless := strings.Repeat("1", maxLine+1)
	_, secretErr := readSecret(strings.NewReader(endless))
	_, lineErr := readAnswer(strings.NewReader(endless))
	for _, err := range []error{secretErr, lineErr} {
		if err == nil || !strings.Contains(err.Error(), "longer than") {
			t.Errorf("a line without an end: %v", err)
		}
	}
}
