package enroll

import (
	"bytes"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// eventLog is the step that is carried out, and what is to be said of it.
type eventLog struct {
	current Event
	// skipped says why the step leaves things as they are; empty where it does not.
	skipped string
	// unwritten are events that happened before the evidence folder was open.
	unwritten []Event
}

// notify reports a state of the step that is carried out.
func (e *enrollment) notify(state State, message string) {
	event := e.events.current
	event.Time, event.State, event.Message = e.deps.Now().UTC(), state, message
	e.deps.Notify(event)
}

// note tells the person something without a question.
func (e *enrollment) note(format string, args ...any) {
	e.notify(StateNote, fmt.Sprintf(format, args...))
}

// skip has the step that is carried out leave things as they are, and says why.
func (e *enrollment) skip(why string) { e.events.skipped = why }

// record appends the event to the evidence; what happened before the folder was
// open is kept until then. Failing to append it does not fail the enrollment: the
// receipt is what counts.
func (e *enrollment) record(event Event) {
	e.events.unwritten = append(e.events.unwritten, event)
	if e.evidence.folder == nil {
		return
	}
	for _, event := range e.events.unwritten {
		var line bytes.Buffer
		if err := safetext.EncodeJSON(&line, event, ""); err == nil {
			_ = e.evidence.folder.AppendLine("events.ndjson", bytes.TrimSpace(line.Bytes()))
		}
	}
	e.events.unwritten = nil
}
