package desk_test

import (
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// Whatever is chosen is a word that the rest of the program understands.
func TestChoicesAreWordsOfTheCommandLine(t *testing.T) {
	firmware := piv.Version{Major: 5, Minor: 7, Patch: 4}
	for name, test := range map[string]struct {
		choices []enroll.Choice
		count   int
		parse   func(string) error
	}{
		"slots":          {desk.Slots(), 24, func(id string) error { _, err := piv.ParseSlot(id); return err }},
		"algorithms":     {desk.Algorithms(firmware), 5, func(id string) error { _, err := piv.ParseAlgorithm(id); return err }},
		"PIN policies":   {desk.PINPolicies(), 4, func(id string) error { _, err := piv.ParsePINPolicy(id); return err }},
		"touch policies": {desk.TouchPolicies(), 3, func(id string) error { _, err := piv.ParseTouchPolicy(id); return err }},
	} {
		ids, texts := map[string]bool{}, map[string]bool{}
		for _, choice := range test.choices {
			if err := test.parse(choice.ID); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			ids[choice.ID], texts[choice.Text] = true, true
		}
		if len(ids) != test.count || len(texts) != test.count {
			t.Errorf("%s: %d words and %d texts, want %d of each", name, len(ids), len(texts), test.count)
		}
	}
	if first := desk.Slots()[0]; first != (enroll.Choice{ID: "9d", Text: "9D key management"}) {
		t.Errorf("the first slot is %+v", first)
	}
	if got := desk.Algorithms(firmware); got[0].Text != "RSA 2048" || got[4].Text != "EC P-384" {
		t.Errorf("algorithms are called %+v", got)
	}
}

// TestChoicesFitInALine: a choice stands in one line of 80 columns with its question before
// it, and which of how many it is after it.
func TestChoicesFitInALine(t *testing.T) {
	all := [][]enroll.Choice{
		desk.SourcesFor([]string{"a key"}), desk.Layouts(), desk.Slots(), desk.PINPolicies(), desk.TouchPolicies(),
		desk.Algorithms(piv.Version{Major: 5, Minor: 7, Patch: 4}),
	}
	const room = 47
	for _, choice := range slices.Concat(all...) {
		if utf8.RuneCountInString(choice.Text) > room {
			t.Errorf("%q is longer than %d", choice.Text, room)
		}
	}
}
