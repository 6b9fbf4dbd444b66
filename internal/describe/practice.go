package describe

import (
	"slices"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// Practice says that a desk works on the practice lab.
func Practice() Value {
	return Value{Label: "practice", Text: "the cards, Gmail and the CA are the practice lab's, on this machine: nothing real is changed"}
}

// PracticeWarnings says which warnings of a review are expected on the practice lab;
// none where the review has no warning.
func PracticeWarnings(review enroll.Review) []Value {
	for _, key := range review.Keys {
		if slices.ContainsFunc(key.Findings, func(f smime.Finding) bool { return f.Severity == smime.SeverityWarning }) {
			return []Value{{Label: "practice", Text: "warnings about addresses that the internet cannot reach (CRL, AIA), and the relaxed validation profile that follows from them, are expected: the practice lab's CA is on this machine alone"}}
		}
	}
	return nil
}
