package durable_test

import (
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/durable"
)

func TestFileName(t *testing.T) {
	for text, want := range map[string]string{
		"ada@example.com": "ada@example.com", "ada+x_y=z-1@example.com": "ada+x_y=z-1@example.com", "Ada@Example.com": "Ada@Example.com",
		"o'brien@example.com": "o%27brien@example.com", "50%@example.com": "50%25@example.com", "..": "%2E%2E", ".": "%2E", "": "",
		"../x": "%2E.%2Fx", `a\b`: "a%5Cb", "a:b": "a%3Ab", "a.": "a%2E", "con": "%63on", "Aux.smith@example.com": "%41ux.smith@example.com",
		"com7.x@example.com": "%63om7.x@example.com", "com@example.com": "com@example.com", "comx.y@example.com": "comx.y@example.com", "ä@x": "%C3%A4@x",
	} {
		if got := durable.FileName(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	long := strings.Repeat("a", 254)
	if got, other := durable.FileName(long), durable.FileName(long+"b"); len(got) != 200 || got == other {
		t.Errorf("%q, %q", got, other)
	}
}

func FuzzFileName(f *testing.F) {
	for _, seed := range []string{"ada@example.com", "../../x", "con", strings.Repeat("ä", 200), ""} {
		f.Add(seed, seed+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, text := range []string{a, b} {
			if name := durable.FileName(text); text != "" && !durable.IsFileName(name) {
				t.Errorf("%q becomes %q", text, name)
			}
		}
		if a != b && durable.FileName(a) == durable.FileName(b) {
			t.Errorf("%q and %q are one", a, b)
		}
	})
}
