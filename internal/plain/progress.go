package plain

import (
	"fmt"
	"io"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// Progress writes one line for each event that a person wants to know of; with bell the
// terminal rings when the card waits for a touch.
func Progress(out io.Writer, bell bool) func(enroll.Event) {
	ring := ""
	if bell {
		ring = "\a"
	}
	return func(event enroll.Event) {
		count := fmt.Sprintf("[%2d/%d]", event.Index, event.Of)
		if event.Of == 0 {
			count = "note:" // of no step
		}
		switch event.State {
		case enroll.StateDone, enroll.StateAlready:
			fmt.Fprintf(out, "%s %s: %s\n", count, safetext.Clean(event.Title), describe.State(event.State).Text)
		case enroll.StateSkipped:
			fmt.Fprintf(out, "%s %s: %s\n", count, safetext.Clean(event.Title), safetext.Clean(event.Message))
		case enroll.StateRetry:
			fmt.Fprintf(out, "%s %s: looking again, because %s\n", count, safetext.Clean(event.Title), safetext.Clean(event.Message))
		case enroll.StateTouch:
			fmt.Fprintf(out, "%s   touch your YubiKey now%s\n", count, ring)
		case enroll.StateCardBack:
			fmt.Fprintf(out, "%s   the card is back\n", count)
		case enroll.StateCardOut, enroll.StateNote:
			fmt.Fprintf(out, "%s   %s\n", count, safetext.Clean(event.Message))
		}
	}
}

// JSONProgress writes each event as one line of JSON.
func JSONProgress(out io.Writer) func(enroll.Event) {
	return func(event enroll.Event) { _ = safetext.EncodeJSON(out, event, "") }
}
