package safetext_test

import (
	"strings"
	"testing"

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
