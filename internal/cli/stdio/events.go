package stdio

import (
	"io"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/plain"
)

// NoteWriter makes an event of each message that is written to it, so that all that
// --events writes is JSON.
type NoteWriter func(enroll.Event)

// NoteEvents returns a [NoteWriter] that writes the events as JSON lines.
func NoteEvents(out io.Writer) NoteWriter { return plain.JSONProgress(out) }

// Write takes one message.
func (w NoteWriter) Write(message []byte) (int, error) {
	if text := strings.TrimSpace(strings.TrimPrefix(string(message), "cse-piv: ")); text != "" {
		w(enroll.Event{Time: time.Now().UTC(), State: enroll.StateNote, Message: text})
	}
	return len(message), nil
}
