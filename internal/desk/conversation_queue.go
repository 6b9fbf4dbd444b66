package desk

import (
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// queue is who is to be served, and how far each of them is.
type queue struct {
	Entries []QueueEntry
	// Roster says that people were named beforehand.
	Roster   bool
	Failures Failures
	// Parked holds, by address in lower case, who was parked before anything was begun: they come
	// after the others.
	Parked map[string]bool
	// Receipts are those of the enrollments here, and Tasks what else was done, in their order.
	Receipts []*enroll.Receipt
	Tasks    []Task

	// number counts the questions how far people are, and changed holds, by address
	// in lower case, the last one before a person's entry was changed here.
	number  int
	changed map[string]int
	// collecting holds, by address in lower case, whose certificate is asked for
	// just now.
	collecting map[string]bool
}

func newQueue() queue {
	return queue{Failures: Failures{}, Parked: map[string]bool{}, changed: map[string]int{}, collecting: map[string]bool{}}
}

// Entry returns a person's entry in the queue, and whether there is one.
func (q *queue) Entry(email string) (QueueEntry, bool) {
	if at := Find(q.Entries, email); at >= 0 {
		return q.Entries[at], true
	}
	return QueueEntry{}, false
}

// Next returns the index of the one to serve next, see Next; -1 for nobody.
func (q *queue) Next() int {
	next := Next(q.Entries, func(email string) bool { return q.Failures.Has(email) || q.Parked[strings.ToLower(email)] })
	if next < 0 {
		next = Next(q.Entries, q.Failures.Has)
	}
	return next
}

// About returns what a queue shows of a person besides the address and the progress.
func (q *queue) About(entry QueueEntry) []string {
	var about []string
	if serial := max(entry.Person.Serial, entry.Progress.Serial); serial != 0 {
		about = append(about, fmt.Sprintf("card %d", serial))
	}
	if q.Parked[strings.ToLower(entry.Email)] && entry.Stage != enroll.StageDone {
		about = append(about, "parked")
	}
	return append(about, entry.Person.About()...)
}

// Standing says how far a person is, or what stands in their way.
func (q *queue) Standing(entry QueueEntry) describe.Value {
	failure := q.Failures.Of(entry.Email)
	if failure == nil {
		failure = entry.Problem
	}
	if entry.Ended != nil && failure == nil {
		return describe.Ended(*entry.Ended)
	}
	return describe.Progress(entry.Progress, entry.By, failure)
}

// set records how far a person is. Somebody who is not on the roster joins the
// queue.
func (q *queue) set(entry QueueEntry) {
	if at := Find(q.Entries, entry.Email); at >= 0 {
		q.Entries[at] = entry
	} else {
		q.Entries = append(q.Entries, entry)
	}
}

// learn takes in what the desk answers to a question, unless it was asked before
// the person's entry was changed here, or about another card.
func (q *queue) learn(number int, entry QueueEntry) {
	known, ok := q.Entry(entry.Email)
	if ok && (number <= q.changed[strings.ToLower(entry.Email)] || known.Person.Serial != entry.Person.Serial) {
		return
	}
	q.set(entry)
}

// readQueue asks how far everybody is, and readEntry how far one is.
func (q *queue) readQueue() Effect {
	q.number++
	return ReadQueue{q.number}
}

func (q *queue) readEntry(person Person) Effect {
	q.number++
	return ReadEntry{Number: q.number, Person: person}
}

// entryRead takes in how far somebody is. Who has not begun and is on no roster
// does not join the queue by being asked about.
func (c *Conversation) entryRead(event EntryRead) []Effect {
	entry := event.Entry
	delete(c.collecting, strings.ToLower(entry.Email))
	if _, known := c.Entry(entry.Email); known || entry.Stage != enroll.StageNone || entry.Problem != nil {
		c.learn(event.Number, entry)
	}
	if c.looking && strings.EqualFold(entry.Email, c.Person.Email) {
		c.looking = false
		if entry.Stage != enroll.StageWaiting {
			return c.arrived()
		}
	}
	return nil
}

// collectAll asks for the certificates of everybody who waits and is not being
// served.
func (c *Conversation) collectAll() []Effect {
	var effects []Effect
	for _, entry := range c.Entries {
		email := strings.ToLower(entry.Email)
		if entry.Stage == enroll.StageWaiting && !c.collecting[email] && !c.Serves(email) {
			c.collecting[email] = true
			effects = append(effects, c.readEntry(entry.Person))
		}
	}
	return effects
}

// Serves reports whether an enrollment of that person runs.
func (c *Conversation) Serves(email string) bool {
	return c.Run.Active() && strings.EqualFold(email, c.Person.Email)
}

// served takes in what serving a person came to.
func (c *Conversation) served(entry QueueEntry, receipt *enroll.Receipt, err error) {
	c.changed[strings.ToLower(entry.Email)] = c.number
	if known, _ := c.Entry(entry.Email); entry.Stage == enroll.StageWaiting && len(entry.Waits) == 0 {
		entry.Waits = known.Waits // stopped before it was asked for again
	}
	c.set(entry)
	if c.Person = entry.Person; c.Person.Serial != 0 {
		c.Assigned = c.Person.Serial
	}
	c.forgetPulled()
	c.Failures.Note(entry.Email, err)
	if err == nil {
		c.Receipts = append(c.Receipts, receipt)
	}
}

// Tally counts the queue. Each person counts in All and once in the others: Waiting are those
// whose certificate has not come, Ready those whose certificate is there.
type Tally struct{ All, Done, Waiting, Ready, Failed, ToDo int }

// Tally counts how far everybody is. Who is being served has not failed.
func (c *Conversation) Tally() Tally {
	tally := Tally{All: len(c.Entries)}
	for _, entry := range c.Entries {
		failed := c.Failures.Has(entry.Email) || entry.Problem != nil && entry.Stage != enroll.StageWaiting
		switch {
		case entry.Stage == enroll.StageDone:
			tally.Done++
		case failed && !c.Serves(entry.Email):
			tally.Failed++
		case entry.Stage == enroll.StageWaiting:
			tally.Waiting++
		case entry.Stage == enroll.StageReady:
			tally.Ready++
		default:
			tally.ToDo++
		}
	}
	return tally
}
