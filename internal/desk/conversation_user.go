package desk

import (
	"errors"
	"strings"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/termination"
)

// giveUp notes why somebody is parked, or left for good. Where nobody is picked, it is
// whoever is next.
func (c *Conversation) giveUp(action Action) {
	person, problem := c.Person, c.Problem
	if c.Phase == PhaseUser {
		person = c.Picked
		if next := c.Next(); person.Email == "" && action == Park && next >= 0 {
			person = c.Entries[next].Person
		}
	}
	if person.Email == "" {
		return
	}
	if action == Park && problem == nil && c.Phase == PhaseUser {
		c.Parked[strings.ToLower(person.Email)] = true
	}
	if problem == nil && c.Phase == PhaseCard && !c.Ready() && (action == Park || c.Single) {
		problem = c.Obstacle()
		if serial := c.Card.Identity.Serial; c.Former(serial) {
			problem = &termination.NotMovedError{Email: person.Email, Serial: serial} // the new card did not come
		}
	}
	if errors.Is(problem, enroll.ErrDeclined) {
		problem = enroll.ErrDeclined
	}
	if problem != nil {
		c.Failures.Note(person.Email, problem)
	}
	if _, known := c.Entry(person.Email); !known && (action == Park || problem != nil) {
		c.set(QueueEntry{Person: person, Progress: enroll.Progress{Stage: enroll.StageNone}})
	}
}

// next turns to the next person.
func (c *Conversation) next() []Effect {
	if c.Single {
		c.Phase = PhaseEnd
		return nil
	}
	c.Person, c.Run, c.Plan, c.Card, c.Request = Person{}, nil, nil, CardStatus{}, enroll.Request{}
	return append(c.enter(PhaseUser), c.readQueue())
}

// picked asks about somebody: whom nobody knows here may have been begun with.
func (c *Conversation) picked(person Person) []Effect {
	c.Picked, c.Answered, c.Problem = person, false, nil
	if _, known := c.Entry(person.Email); known {
		return []Effect{ReadGmail{person.Email}}
	}
	return []Effect{c.readEntry(person), ReadGmail{person.Email}}
}

func (c *Conversation) actUser(action Action) []Effect {
	switch {
	case action == Back && c.Picked.Email == "":
		c.enter(PhaseStart)
	case action == Back:
		c.enter(PhaseUser)
	case action == Again && c.Picked.Email == "":
		return []Effect{c.readQueue()}
	case action == Again && c.Problem != nil:
		return c.picked(c.Picked)
	case action == More:
		return c.openMenu()
	case action == GoOn && c.Answered && c.Problem == nil:
		return c.serve(c.Picked)
	}
	return nil
}

// serve begins with a person, who may wait for a certificate: for that no card is
// needed.
func (c *Conversation) serve(person Person) []Effect {
	if !strings.EqualFold(person.Email, c.Person.Email) {
		c.Plan = nil
	}
	delete(c.Parked, strings.ToLower(person.Email))
	c.Person, c.Card, c.Run = person, CardStatus{}, nil
	entry, _ := c.Entry(person.Email)
	entry.Person = person
	c.Request = RequestFor(c.base, c.Entries, entry)
	if chosen := c.replaced[strings.ToLower(person.Email)]; chosen != nil {
		c.Request.Replaces = chosen
	}
	c.copies = c.Request.Replaces != nil && entry.Copies && len(c.Request.Copies) == 0
	c.Assigned, c.Chosen, c.Taken = c.Request.Serial, 0, 0
	if entry.Stage == enroll.StageWaiting {
		return c.enter(PhaseCertificate)
	}
	return c.enter(PhaseCard)
}
