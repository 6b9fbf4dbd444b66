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
}

// Title says what the task is.
func (t Task) Title() string { return describe.Command(t.Command).Label }

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

// Carry carries out what a Begin begins: a task, an enrollment, or one with a card that takes the
// place of another. It returns the receipt of an enrollment, and what else was done, a sentence
// each.
func (d *Desk) Carry(ctx context.Context, begin Begin, front FrontEnd) (*enroll.Receipt, []string, error) {
	switch {
	case begin.Task != nil:
		lines, err := d.carryTask(ctx, *begin.Task, front)
		return nil, lines, err
	case begin.Request.Replaces != nil:
		receipt, lines, err := d.Replace(ctx, begin.Request, front)
		if _, step := errors.AsType[*enroll.StepError](err); err != nil && !step {
			err = &TaskError{Task{Command: status.CommandReplace, Reason: begin.Request.Replaces.Reason, Email: begin.Request.Email, Serial: begin.Request.Serial}, err}
		}
		return receipt, lines, err
	}
	receipt, err := d.Enroll(ctx, begin.Request, front)
	return receipt, nil, err
}

// carryTask carries out a task, whose events are those of a plan of one step.
func (d *Desk) carryTask(ctx context.Context, task Task, front FrontEnd) ([]string, error) {
	tell := func(state enroll.State, message string) {
		front.Notify(enroll.Event{Time: time.Now(), Step: taskStep, Title: task.Title(), State: state, Message: message, Index: 1, Of: 1})
	}
	tell(enroll.StateStarted, "")
	lines, err := d.Task(ctx, task, front.Prompter, func(note string) { tell(enroll.StateNote, note) })
	if err != nil {
		tell(enroll.StateFailed, err.Error())
		return lines, &TaskError{task, err}
	}
	tell(enroll.StateDone, "")
	return lines, nil
}
