package plain

import (
	"fmt"
	"io"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Summary says what became of the people at a desk, a line for each of whom there is
// something to say. Its error is that of out.
func Summary(out io.Writer, talk *desk.Conversation, leftOut []*desk.RosterError) (err error) {
	say := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintln(out, safetext.Clean(fmt.Sprintf(format, args...)))
		}
	}
	say("%s", tally(talk.Tally()))
	for _, value := range talk.Summary(leftOut) {
		say("  %s", line(value))
		for _, detail := range value.Details {
			say("    %s", detail)
		}
	}
	return err
}

// tally says how many are done, wait for a certificate and failed.
func tally(counted desk.Tally) string {
	return fmt.Sprintf("%d done, %d waiting, %d failed, %d to do", counted.Done, counted.Waiting+counted.Ready, counted.Failed, counted.ToDo)
}
