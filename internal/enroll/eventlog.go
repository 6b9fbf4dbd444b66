package enroll

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/logging"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// eventsName is the file of the evidence with the events, one a line.
const eventsName = "events.ndjson"

// lastFailure says at which step the latest run of the folder failed, and why; empty
// where the last event is another one, a certificate was waited for, or somebody stopped
// it. A line that is no event counts as none.
func lastFailure(folder *evidence.Folder) (string, error) {
	data, err := folder.Read(eventsName)
	if err != nil {
		return "", err
	}
	var last Event
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	switch err := json.Unmarshal(lines[len(lines)-1], &last); {
	case err != nil, last.State != StateFailed, last.Step == "certificate", strings.HasSuffix(last.Message, context.Canceled.Error()):
		return "", nil
	}
	return last.Title + ": " + last.Message, nil
}

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
			_ = e.evidence.folder.AppendLine(eventsName, bytes.TrimSpace(line.Bytes()))
		}
	}
	e.events.unwritten = nil
}

// about returns a context in whose log each line says which enrollment it is about. The card
// is known once it was read.
func (e *enrollment) about(ctx context.Context) context.Context {
	ctx = logging.Adding(ctx, logging.Email, e.request.Email)
	if e.request.Serial == 0 {
		return ctx
	}
	return logging.Adding(ctx, logging.Card, e.request.Serial)
}

// log writes the event into the log of the run, where one was asked for.
func log(ctx context.Context, event Event) {
	level := slog.LevelInfo
	switch event.State {
	case StateFailed:
		level = slog.LevelError
	case StateRetry, StateCardOut:
		level = slog.LevelWarn
	}
	logging.Write(ctx, level, "enrollment",
		slog.String("step", event.Step), slog.String("slot", event.Slot), slog.String("state", string(event.State)), slog.String("message", event.Message))
}
