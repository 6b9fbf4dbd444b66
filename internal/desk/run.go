package desk

import (
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
)

// Run is an enrollment or a task as its events tell of it. A nil Run is none.
type Run struct {
	ID      int
	Request enroll.Request
	Steps   []RunStep
	Current int    // index of the step that runs, or ran last
	Touch   string // what a touch is waited for; empty for nothing
	CardOut string // what has to be put back in; empty for nothing
	Notes   []string
	Now     time.Time
	Ended   bool
	Receipt *enroll.Receipt
	Task    *Task    // nil for an enrollment
	Lines   []string // what else was done than an enrollment, a sentence each
	Err     error
	// Agreed is what a person agreed to in it, or had a moment before; nil for nothing.
	Agreed *enroll.Review
}

// RunStep is one step of the plan and what became of it.
type RunStep struct {
	ID, Title    string
	State        enroll.State // empty until it begins
	Began, Ended time.Time
}

func newRun(id int, request enroll.Request) *Run {
	r := &Run{ID: id, Request: request}
	request.Review = true
	for _, step := range enroll.NewPlan(request) {
		r.Steps = append(r.Steps, RunStep{ID: step.ID, Title: step.Title})
	}
	return r
}

// Active reports whether the enrollment runs.
func (r *Run) Active() bool { return r != nil && !r.Ended }

// Is reports whether the run has that number.
func (r *Run) Is(run int) bool { return r != nil && r.ID == run }

// FailedAtGmail reports whether it is an answer of Gmail's alone that kept the run from
// its end.
func (r *Run) FailedAtGmail() bool { return r != nil && failedAtGmail(r.Err) }

// At reports whether the step that runs, or ran last, is that one.
func (r *Run) At(step string) bool {
	return r.Current < len(r.Steps) && r.Steps[r.Current].ID == step
}

// apply follows an event.
func (r *Run) apply(event enroll.Event) {
	i := event.Index - 1
	if event.State == enroll.StateNote {
		r.Notes = append(r.Notes, event.Message)
	}
	if i < 0 || i >= len(r.Steps) {
		return
	}
	step := &r.Steps[i]
	r.Current = i
	if event.Time.After(r.Now) {
		r.Now = event.Time
	}
	switch event.State {
	case enroll.StateStarted:
		step.Began, step.State = event.Time, event.State
	case enroll.StateDone, enroll.StateAlready, enroll.StateSkipped, enroll.StateFailed:
		step.State, step.Ended = event.State, event.Time
		r.Touch, r.CardOut = "", ""
		if event.State == enroll.StateSkipped {
			r.Notes = append(r.Notes, event.Title+": "+event.Message)
		}
	case enroll.StateTouch:
		r.Touch, r.CardOut = event.Message, ""
	case enroll.StateCardBack:
		r.CardOut = ""
	case enroll.StateCardOut:
		r.CardOut, r.Touch = event.Message, ""
	case enroll.StateTouched, enroll.StateRetry:
		r.Touch = ""
	}
}

func (r *Run) end(event RunEnded) {
	r.Ended, r.Receipt, r.Err = true, event.Receipt, event.Err
	r.Lines = event.Lines
	r.Touch, r.CardOut = "", ""
}

// Done counts the steps that are over.
func (r *Run) Done() int {
	n := 0
	for _, step := range r.Steps {
		switch step.State {
		case enroll.StateDone, enroll.StateAlready, enroll.StateSkipped:
			n++
		}
	}
	return n
}

// Elapsed is how long a step took, or has taken so far.
func (r *Run) Elapsed(step RunStep) time.Duration {
	switch {
	case step.Began.IsZero():
		return 0
	case step.Ended.IsZero():
		return max(0, r.Now.Sub(step.Began))
	}
	return step.Ended.Sub(step.Began)
}
