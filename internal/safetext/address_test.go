package safetext_test

import (
	"net/mail"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

func TestIsAddress(t *testing.T) {
	for address, want := range map[string]bool{
		"ada@example.com": true, "jürgen@example.com": true, "a+b@x": true,
		"": false, "ada": false, "Ada <ada@example.com>": false, "<ada@example.com>": false, "ada@example.com ": false, "ada @example.com": false,
		"a\u202eda@example.com": false, "ada@example.com\x1b[0m": false, "a\xffda@example.com": false, "ada\u00a0@example.com": false,
		strings.Repeat("a", 242) + "@example.com": true, strings.Repeat("a", 243) + "@example.com": false,
	} {
		if safetext.IsAddress(address) != want {
			t.Errorf("%q: not %t", address, want)
		}
	}
}

// FuzzIsAddress: net/mail reads the same texts as bare addresses.
func FuzzIsAddress(f *testing.F) {
	for _, text := range []string{
		"ada@example.com", "a.b@x.y", ".a@x", "a.@x", "a..b@x", "a@.x", "a@x.", "@x", "a@", "@", "a@b@c", "\"a b\"@x", "a@[192.0.2.1]", "a@[::1]", "a@[::1%eth0]",
		"a@[x]", "a@[]", "a@[192.0.2.1", "(c)a@x", "a@x (c)", "g: a@x;", "=?utf-8?q?a?=@x", "a @x", "a@ x", "é@é", "a\u00a0@x", "a\x7f@x", "a@[192.0.2.1].", "a@x,b@y",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		hidden := func(r rune) bool { return !unicode.IsPrint(r) }
		address, err := mail.ParseAddress(text)
		want := err == nil && address.Address == text && len(text) <= 254 && utf8.ValidString(text) && !strings.ContainsFunc(text, hidden)
		if got := safetext.IsAddress(text); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	})
}
