package tui

import (
	"errors"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// running is an enrollment as its events tell of it. A nil running is none.
type running struct {
	id      int
	cancel  func()
	request enroll.Request
	steps   []runStep
	current int // index of the step that runs
	touch   string
	cardOut string
	notes   []string
	now     time.Time
	turns   int // of the spinner
	// typed is the PIN as it was typed last. When the run has ended it is kept for
	// desk.PINKept, and only where a certificate is waited for.
	typed   secret.Secret
	ended   bool
	receipt *enroll.Receipt
	err     error
}

// runStep is one step of the plan and what became of it.
type runStep struct {
	id, title string
	state     enroll.State // empty until it begins
	began     time.Time
	ended     time.Time
}

// newRunning begins the run with that number.
func newRunning(id int, request enroll.Request, cancel func()) *running {
	r := &running{id: id, cancel: cancel, request: request}
	request.Review = true
	for _, step := range enroll.NewPlan(request) {
		r.steps = append(r.steps, runStep{id: step.ID, title: step.Title})
	}
	return r
}

func (r *running) active() bool    { return r != nil && !r.ended }
func (r *running) is(run int) bool { return r != nil && r.id == run }

func (r *running) beat(now beatMsg) {
	r.now = time.Time(now)
	r.turns++
}

// apply follows an event.
func (r *running) apply(event enroll.Event) {
	i := event.Index - 1
	if i < 0 || i >= len(r.steps) {
		return
	}
	step := &r.steps[i]
	r.current = i
	if event.Time.After(r.now) {
		r.now = event.Time
	}
	switch event.State {
	case enroll.StateStarted:
		step.began, step.state = event.Time, event.State
	case enroll.StateDone, enroll.StateAlready, enroll.StateSkipped, enroll.StateFailed:
		step.state, step.ended = event.State, event.Time
		r.touch, r.cardOut = "", ""
		if event.State == enroll.StateSkipped {
			r.notes = append(r.notes, event.Title+": "+event.Message)
		}
	case enroll.StateTouch:
		r.touch, r.cardOut = event.Message, ""
	case enroll.StateCardBack:
		r.cardOut = ""
	case enroll.StateCardOut:
		r.cardOut, r.touch = event.Message, ""
	case enroll.StateTouched, enroll.StateRetry:
		r.touch = ""
	case enroll.StateNote:
		r.notes = append(r.notes, event.Message)
	}
}

func (r *running) end(msg finishedMsg) {
	r.ended, r.receipt, r.err = true, msg.receipt, msg.err
	r.touch, r.cardOut = "", ""
	var waiting *issuer.WaitingError
	if !errors.As(msg.err, &waiting) {
		r.typed = secret.Secret{}
	}
	r.cancel()
}

// generating reports whether the card makes a key now.
func (r *running) generating() bool {
	return r.at("generate") && r.steps[r.current].state == enroll.StateStarted && r.request.Keys[0].Source == enroll.SourceGenerate
}

// done counts the steps that are over.
func (r *running) done() int {
	n := 0
	for _, step := range r.steps {
		switch step.state {
		case enroll.StateDone, enroll.StateAlready, enroll.StateSkipped:
			n++
		}
	}
	return n
}

// elapsed is how long a step took, or has taken so far.
func (r *running) elapsed(step runStep) time.Duration {
	switch {
	case step.began.IsZero():
		return 0
	case step.ended.IsZero():
		return max(0, r.now.Sub(step.began))
	}
	return step.ended.Sub(step.began)
}
