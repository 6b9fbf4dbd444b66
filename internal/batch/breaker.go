package batch

import (
	"fmt"
	"sync"
)

// breakAfter is how many users in a row may fail for a reason that concerns
// everybody before the others are spared the same.
const breakAfter = 10

// breaker notices that nobody gets through.
type breaker struct {
	mu      sync.Mutex
	success bool
	kind    string
	users   int
}

// note takes the end of one user's registration and returns an error when the
// run is to stop.
func (b *breaker) note(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !concernsEverybody(err) {
		// Gmail did what was asked, or refused it for this user's sake.
		b.success = b.success || !isLater(err)
		return nil
	}
	if kind := string(kindOf(err)); kind != b.kind {
		b.kind, b.users = kind, 0
	}
	b.users++
	if b.success || b.users < breakAfter {
		return nil
	}
	return &StoppedError{Users: b.users, Err: err}
}

// StoppedError: a run ended early because what failed concerns everybody.
type StoppedError struct {
	Users int // how many failed the same way
	Err   error
}

// Error says why.
func (e *StoppedError) Error() string {
	return fmt.Sprintf("stopped: the first %d users all failed the same way: %v", e.Users, e.Err)
}

// Unwrap returns the last of the failures.
func (e *StoppedError) Unwrap() error { return e.Err }
