package tui

import (
	"errors"

	tea "charm.land/bubbletea/v2"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// session is what the screens share: the conversation, and what it is drawn with.
// Only Update touches it.
type session struct {
	*desk.Conversation
	commands commands
	styles   styles
	keys     keyMap

	cancel func() // ends the run
	stop   func() // ends the looking that was begun last for the plan; nil for none
	// typed is the PIN as it was typed last, and typedFor the card. When the run has
	// ended it is kept for desk.PINKept, and only where desk.RemembersPIN.
	typed    secret.Secret
	typedFor uint32
	turns    int // of the spinner

	outbox []tea.Msg
}

// tell has the root model take a message as soon as the screen is done with the
// present one, before any other: a command's message could be overtaken by the
// next question of the enrollment, or by the next key.
func (s *session) tell(msg tea.Msg) tea.Cmd {
	s.outbox = append(s.outbox, msg)
	return nil
}

// serial is the card's that is being worked with, 0 for none.
func (s *session) serial() uint32 {
	if s.Card.Identity.Serial != 0 {
		return s.Card.Identity.Serial
	}
	return s.Request.Serial
}

// generating reports whether the card makes a key now.
func (s *session) generating() bool {
	return s.Run.Task == nil && s.Run.At("generate") && s.Run.Steps[s.Run.Current].State == enroll.StateStarted && s.Run.Request.Keys[0].Source == enroll.SourceGenerate
}

// problem is an error for a person: what and why, and what to do.
type problem struct{ text, hint string }

func (s *session) explain(err error) problem {
	if err == nil {
		return problem{}
	}
	return problem{text: clean(err.Error()), hint: clean(s.commands.desk.Hint(err))}
}

// explainStep tells what failed apart from why.
func (s *session) explainStep(err error) (what string, why problem) {
	if step, found := errors.AsType[*enroll.StepError](err); found {
		return clean(step.Step.Title), s.explain(step.Err)
	}
	if task, found := errors.AsType[*desk.TaskError](err); found {
		return clean(task.Task.Title()), s.explain(task.Err)
	}
	return "the enrollment", s.explain(err)
}

func clean(text string) string { return safetext.Clean(text) }
