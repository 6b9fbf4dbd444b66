package batch

import (
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// Kind says what an event tells.
type Kind string

// The kinds of events.
const (
	KindRead     Kind = "read"     // rows were read; counts: how many so far
	KindStarted  Kind = "started"  // work begins; counts: how much there is
	KindTarget   Kind = "target"   // users of a domain are about to be changed; it says where
	KindDone     Kind = "done"     // one user is done
	KindFailed   Kind = "failed"   // one user failed
	KindRetry    Kind = "retry"    // one user will be tried again
	KindWarning  Kind = "warning"  // something concerns one row, or everybody
	KindProgress Kind = "progress" // about every second
	KindStalled  Kind = "stalled"  // nobody gets through; it says since when and why
	KindPaused   Kind = "paused"   // and one user is tried from time to time until somebody does
	KindResumed  Kind = "resumed"  // somebody got through again
	KindFinished Kind = "finished" // the run is over
)

// Event is something that happened in a run. The JSON names are a contract.
type Event struct {
	Time    time.Time      `json:"time"`
	Kind    Kind           `json:"event"`
	Run     int64          `json:"run,omitempty"`     // its number
	Email   string         `json:"email,omitempty"`   // of the user
	Where   string         `json:"where,omitempty"`   // in the source, for people
	Reason  string         `json:"reason,omitempty"`  // see failure reasons
	Message string         `json:"message,omitempty"` // for people
	Hint    string         `json:"hint,omitempty"`    // what helps
	Counts  *ledger.Counts `json:"counts,omitempty"`  // of the run

	Domain        string `json:"domain,omitempty"`         // whose users are about to be changed
	GmailEndpoint string `json:"gmail_endpoint,omitempty"` // and where

	// Wait is how long until a user is tried again.
	Wait time.Duration `json:"-"`
	// Outage is set while nobody gets through, also with progress.
	Outage *Outage `json:"-"`
}
