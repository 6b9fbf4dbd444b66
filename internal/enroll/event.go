package enroll

import "time"

// State is what happened to a step.
type State string

// The states that events report.
const (
	StateStarted  State = "started" // the step looks, and acts where needed
	StateAlready  State = "already" // it was so before
	StateSkipped  State = "skipped" // things stay as they are; the message says why
	StateDone     State = "done"    // the step acted, and saw that it holds
	StateRetry    State = "retry"   // the card or the network hiccupped; the step looks again
	StateTouch    State = "touch"   // the card waits for its button to be touched
	StateTouched  State = "touched" // it waits no more
	StateCardOut  State = "card-out"
	StateCardBack State = "card-back"
	StateNote     State = "note" // something a person should know
	StateFailed   State = "failed"
)

// Event is one thing that happened in a running plan.
type Event struct {
	Time    time.Time `json:"time"`
	Step    string    `json:"step"`           // stable name of the step
	Title   string    `json:"title"`          // what the step does, for people
	Slot    string    `json:"slot,omitempty"` // of the key that the step is about
	State   State     `json:"state"`
	Message string    `json:"message,omitempty"` // for people
	Index   int       `json:"index"`             // of the step, from 1
	Of      int       `json:"of"`                // number of steps
}
