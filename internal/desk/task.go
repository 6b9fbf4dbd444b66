package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/status"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// Task is what is done at a desk besides enrollments and renewals, by the command for it.
type Task struct {
	Command status.Command
	Reason  termination.Reason // of the end of a card's use; empty for another task
	Email   string             // of the person
	Serial  uint32             // of the card that is in a reader; 0 for none
	// Copies says that nothing is done yet: copies of old keys are asked for, see Desk.Copies.
	Copies bool
	// GivesUp says that a replacement with that card is given up, and the former card used on.
	GivesUp bool
}

// Title says what the task is.
func (t Task) Title() string {
	if t.Copies {
		return "copies of old keys, for old mail"
	}
	if t.GivesUp {
		return describe.GivesUp().Label
	}
	return describe.Command(t.Command).Label
}

// ofCard reports whether the task is about a card that goes on being used.
func (t Task) ofCard() bool {
	switch t.Command {
	case status.CommandUnblock, status.CommandChangePIN, status.CommandHistory:
		return true
	}
	return false
}

// TaskError says which task could not be done.
type TaskError struct {
	Task Task
	Err  error
}

// Error says it, and why.
func (e *TaskError) Error() string { return fmt.Sprintf("%s: %v", e.Task.Title(), e.Err) }

// Unwrap returns the cause.
func (e *TaskError) Unwrap() error { return e.Err }

// taskStep is the one step of the Run of a task.
const taskStep = "task"

func newTaskRun(id int, task Task) *Run {
	return &Run{ID: id, Task: &task, Steps: []RunStep{{ID: taskStep, Title: task.Title()}}}
}

// Carried is what came of a Begin.
type Carried struct {
	Receipt *enroll.Receipt  // of an enrollment; nil for none, and where it failed
	Lines   []string         // what else was done, a sentence each
	Copies  []enroll.KeyCopy // of old keys, that were asked for
}

// Carry carries out what a Begin begins: a task, an enrollment, or one with a card that takes the
// place of another.
func (d *Desk) Carry(ctx context.Context, begin Begin, front FrontEnd) (done Carried, err error) {
	switch {
	case begin.Task != nil:
		return d.carryTask(ctx, *begin.Task, front)
	case begin.Request.Replaces != nil:
		done.Receipt, done.Lines, err = d.Replace(ctx, begin.Request, front)
		if _, step := errors.AsType[*enroll.StepError](err); err != nil && !step {
			err = &TaskError{Task{Command: status.CommandReplace, Reason: begin.Request.Replaces.Reason, Email: begin.Request.Email, Serial: begin.Request.Serial}, err}
		}
		return done, err
	}
	done.Receipt, err = d.Enroll(ctx, begin.Request, front)
	return done, err
}

// carryTask carries out a task, whose events are those of a plan of one step.
func (d *Desk) carryTask(ctx context.Context, task Task, front FrontEnd) (done Carried, err error) {
	tell := func(state enroll.State, message string) {
		front.Notify(enroll.Event{Time: time.Now(), Step: taskStep, Title: task.Title(), State: state, Message: message, Index: 1, Of: 1})
	}
	note := func(note string) { tell(enroll.StateNote, note) }
	tell(enroll.StateStarted, "")
	if task.Copies {
		done.Copies, err = d.Copies(ctx, task.Email, front.Prompter, note)
	} else {
		done.Lines, err = d.Task(ctx, task, front.Prompter, note)
	}
	if err != nil {
		tell(enroll.StateFailed, err.Error())
		return done, &TaskError{task, err}
	}
	tell(enroll.StateDone, "")
	return done, nil
}
