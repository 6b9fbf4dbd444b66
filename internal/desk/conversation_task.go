package desk

import (
	"context"
	"errors"
	"strings"

	"github.com/cse-piv/cse-piv/internal/enroll"
)

func (c *Conversation) beginTask(task Task) []Effect {
	c.Phase, c.Problem, c.Retry = PhaseWork, nil, nil
	c.numbers++
	c.Run = newTaskRun(c.numbers, task)
	return []Effect{Begin{Run: c.numbers, Person: c.Person, Request: c.Request, Task: &task}}
}

// taskEnded goes where the outcome of a task leads. A failure of a task that is put right says
// nothing of what else failed for the person.
func (c *Conversation) taskEnded(event RunEnded) []Effect {
	c.Run.end(event)
	if c.Run.Task.Copies {
		return c.copiesAsked(event)
	}
	c.Card = CardStatus{} // it is another now
	err, email := event.Err, c.Person.Email
	if err != nil && event.Stopped {
		err = context.Canceled // whatever the stopping came to
	}
	switch {
	case errors.Is(err, enroll.ErrDeclined), errors.Is(err, context.Canceled):
		return c.leaveMenu()
	case err != nil:
		c.Failures.Note(email, err)
		return c.enter(PhaseFailure)
	}
	if failed := (*TaskError)(nil); errors.As(c.Failures.Of(email), &failed) {
		c.Failures.Note(email, nil)
	}
	c.Tasks = append(c.Tasks, *c.Run.Task)
	if c.Run.Task.GivesUp {
		delete(c.replaced, strings.ToLower(email))
	}
	effects := c.enter(PhaseDone)
	if c.Run.Task.Reason != "" {
		effects = append(effects, c.readEntry(c.Person))
	}
	return effects
}

// copiesAsked goes on to the plan with the copies of old keys, or back to the card.
func (c *Conversation) copiesAsked(event RunEnded) []Effect {
	switch {
	case event.Stopped, errors.Is(event.Err, enroll.ErrDeclined), errors.Is(event.Err, context.Canceled):
		return c.enter(PhaseCard)
	case event.Err != nil:
		return c.enter(PhaseFailure)
	}
	c.Run, c.copies, c.Request.Copies = nil, false, event.Copies
	return c.enter(PhasePlan)
}

// GoesOn reports whether the task that was done was for somebody who is still to be enrolled with
// the card.
func (c *Conversation) GoesOn() bool {
	entry, _ := c.Entry(c.Person.Email)
	return c.Run.Task.ofCard() && entry.Stage != enroll.StageDone
}

// actTask does what a person chose after a task that failed or was done: then it goes on with
// the card, or with the next person.
func (c *Conversation) actTask(action Action) []Effect {
	switch task := *c.Run.Task; {
	case c.Phase == PhaseFailure && action == Again:
		return c.beginTask(task)
	case c.Phase == PhaseFailure && action == Back && task.Copies:
		return c.enter(PhaseCard)
	case c.Phase == PhaseFailure && action == Back:
		return c.leaveMenu()
	case c.Phase == PhaseDone && action == GoOn && c.GoesOn():
		return c.enter(PhaseCard)
	case c.Phase == PhaseDone && action == GoOn:
		return c.next()
	}
	return nil
}
