// Package ledger is what was done, durably: in one SQLite file, or in a
// PostgreSQL database that many desks and workers share. It holds certificates,
// identifiers and outcomes; no secret is ever written to it.
package ledger

import (
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// State is where a user's registration stands.
type State string

// The states of an entry.
const (
	StateWaiting State = "waiting" // not begun, or begun and to be gone on with
	StateDone    State = "done"    // key pairs and identity are as asked
	StateFailed  State = "failed"  // the class says what helps
)

// Class says what helps against a failure.
type Class string

// The classes of failures.
const (
	ClassRow           Class = "row"           // the row or its certificates must change
	ClassFinal         Class = "final"         // this user cannot be registered as things are
	ClassLater         Class = "later"         // the same command later may succeed
	ClassAdministrator Class = "administrator" // something must be switched on or allowed first
)

// Pair is one key pair that an entry asks for, and what became of it.
type Pair struct {
	Use         certificate.Use `json:"use"`
	LeafSHA256  string          `json:"leaf_sha256"` // of the leaf's DER
	NotAfter    time.Time       `json:"not_after"`   // when the leaf ends
	Description string          `json:"description"` // kept with the key pair at Gmail
	// PKCS7 is the PEM-armoured chain, leaf to root, as it goes to Gmail.
	PKCS7 []byte `json:"-"`
	// KeyPairID is Gmail's, empty until it is known.
	KeyPairID string `json:"key_pair_id,omitempty"`
	// Created tells a key pair made by this program from one that was there.
	Created bool `json:"created,omitempty"`
	// Superfluous and InKeyService are the ids of other enabled key pairs that Gmail
	// has for the same certificate: of a card, and with the private key in a key
	// service.
	Superfluous  []string `json:"superfluous_key_pairs,omitempty"`
	InKeyService []string `json:"key_service_key_pairs,omitempty"`
}

// Entry is one user of the ledger: what is asked for and what was done.
type Entry struct {
	Email string `json:"email"`          // as the source has it; in lower case it is the key
	Where string `json:"where"`          // in the source, for people
	Line  int    `json:"line,omitempty"` // of the source
	Run   int64  `json:"run"`            // the last run that had this user in its source, 0 for none
	Pairs []Pair `json:"pairs,omitempty"`
	State State  `json:"state"`
	// Step is the last thing that was recorded: "read", "key-pair", "identity", or
	// of a desk "enrolled".
	Step     string `json:"step,omitempty"`
	Attempts int    `json:"attempts"` // how often the user was tried
	// Class, Reason, Message and Hint describe the last failure. Reason is a
	// stable name such as "cse-off".
	Class   Class  `json:"class,omitempty"`
	Reason  string `json:"reason,omitempty"` // see failure reasons
	Message string `json:"message,omitempty"`
	Hint    string `json:"hint,omitempty"` // what helps
	// Warnings are findings that did not stop the registration.
	Warnings []string `json:"warnings,omitempty"`
	Worker   string   `json:"worker,omitempty"` // who did it: user@host/process
	// Updated is when the entry changed last; of a done entry, when it was done.
	Updated time.Time `json:"updated"`
	// Earlier is set where this run found the entry done by an earlier run.
	Earlier bool `json:"earlier,omitempty"`
	// TakenOver is set, of a run's user who waited, where a later run has the user in
	// its source, too.
	TakenOver bool `json:"taken_over,omitempty"`
	// Replaced are the ids of the key pairs that the run's took the place of, as after a
	// renewal, where the entries of a run are read. They stay enabled at Gmail.
	Replaced []string `json:"replaced_key_pairs,omitempty"`
}

// Run is one call of batch on a source.
type Run struct {
	ID       int64     `json:"id"`       // of the run
	Source   string    `json:"source"`   // as it was typed
	Operator string    `json:"operator"` // user@host
	Tool     string    `json:"tool"`     // name and version of the program
	Started  time.Time `json:"started"`
	Read     time.Time `json:"read,omitzero"`     // when the source had been read to its end
	Finished time.Time `json:"finished,omitzero"` // zero for one that was broken off
	DryRun   bool      `json:"dry_run,omitempty"`
	// Partial is set for a run that an older version of this program made: users whom
	// later runs had in their sources, too, are missing in what is known of it.
	Partial bool `json:"partial,omitempty"`
}

// Counts is how far a run is.
type Counts struct {
	Total   int `json:"total"`   // all of them
	Done    int `json:"done"`    // registered
	Earlier int `json:"earlier"` // of those done, by an earlier run
	Failed  int `json:"failed"`
	Waiting int `json:"waiting"` // not begun, or to be tried again
	// WaitingAgain is how many of those waiting an earlier run registered: they wait to be looked at
	// again.
	WaitingAgain int `json:"waiting_again,omitempty"`
	// TakenOver is how many waited until a later run took them over; they are not
	// among Waiting.
	TakenOver int `json:"taken_over,omitempty"`
}

// Group is failures of one reason, for the summary.
type Group struct {
	Class   Class  `json:"class"`
	Reason  string `json:"reason"`         // see failure reasons
	Count   int    `json:"count"`          // users
	Example string `json:"example"`        // an address, or where a row is that has none
	Message string `json:"message"`        // of the example
	Hint    string `json:"hint,omitempty"` // what helps
}

// Point is how far a run was at a moment: users that it had done, without those
// that were done before it, and that had failed.
type Point struct {
	Time   time.Time `json:"time"`
	Done   int       `json:"done"` // registered
	Failed int       `json:"failed"`
}
