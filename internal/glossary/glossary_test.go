package glossary

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestTerms: each term stands once, in the order of the alphabet, with a meaning that
// fits a line.
func TestTerms(t *testing.T) {
	terms := Terms()
	if !slices.IsSortedFunc(terms, func(a, b Term) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) }) {
		t.Error("the terms are not in the order of the alphabet")
	}
	seen := map[string]bool{}
	for _, term := range terms {
		if seen[term.Name] || term.Name == "" || term.Meaning == "" {
			t.Errorf("%+v", term)
		}
		seen[term.Name] = true
		if n := utf8.RuneCountInString(term.Meaning); n > 70 {
			t.Errorf("%s: %d characters", term.Name, n)
		}
		if strings.ContainsAny(term.Name+term.Meaning, "|\n") {
			t.Errorf("%s: a bar or a new line, which the table in the docs cannot hold", term.Name)
		}
	}
}
