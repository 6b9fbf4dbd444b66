package desk

import (
	"github.com/cse-piv/cse-piv/internal/enroll"
)

func (c *Conversation) actCertificate(action Action) []Effect {
	switch {
	case action == GoOn && c.Arrived():
		return c.arrived()
	case action == GoOn:
		c.looking = true
		return []Effect{c.readEntry(c.Person)}
	case action == Back && c.Run == nil:
		return c.enter(PhaseCard)
	case action == Back:
		return c.enter(PhasePlan)
	}
	return nil
}

// Arrived reports whether the person's certificate has come.
func (c *Conversation) Arrived() bool {
	entry, _ := c.Entry(c.Person.Email)
	return entry.Stage == enroll.StageReady
}

// arrived goes on with somebody who waited: with the same run, or from the card.
func (c *Conversation) arrived() []Effect {
	if c.Run == nil {
		return c.serve(c.Person)
	}
	return c.begin(c.Request, nil)
}
