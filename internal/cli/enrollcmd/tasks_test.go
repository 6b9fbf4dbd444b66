package enrollcmd

import (
	"errors"
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// TestAskerOfNobody: where nobody is there to be asked, a question is an error, and what is noted is told
// once all the same.
func TestAskerOfNobody(t *testing.T) {
	var nobody desk.Prompter
	var told []string
	for _, person := range []enroll.Prompter{nil, nobody} {
		ask := asker(person, func(note string) { told = append(told, note) })
		if _, err := ask.Person.Choose(t.Context(), enroll.Question{Text: "which card?"}, nil); !errors.As(err, new(*enroll.MissingError)) {
			t.Errorf("choosing: %v", err)
		}
		if _, err := ask.Person.Confirm(t.Context(), enroll.Question{Text: "clear it?"}); !errors.As(err, new(*enroll.MissingError)) {
			t.Errorf("confirming: %v", err)
		}
		stdio.Note(ask.Streams.Err, "twice")
		stdio.Note(ask.Streams.Err, "twice")
	}
	if !slices.Equal(told, []string{"twice", "twice"}) {
		t.Errorf("told %q", told)
	}
}
