package batch

import (
	"fmt"
	"sync"
)

// breakAfter is how many tries may fail for a reason that concerns everybody, with
// nobody getting through in between, before all others are spared the same. A user
// who fails so more often, while others get through, fails alone.
const breakAfter = 10

// breaker notices that nobody gets through any more.
type breaker struct {
	mu    sync.Mutex
	kind  string
	tries int // that failed for it since somebody got through
}

// note takes the end of one try and returns an error when the run is to stop.
func (b *breaker) note(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case concernsEverybody(err):
	case isLater(err):
		return nil // says nothing either way
	default:
		// Gmail did what was asked, or refused it for this user's sake.
		b.tries = 0
		return nil
	}
	if kind := string(kindOf(err)); kind != b.kind {
		b.kind, b.tries = kind, 0
	}
	if b.tries++; b.tries < breakAfter {
		return nil
	}
	return &StoppedError{Err: err}
}

// StoppedError: work ended early because what failed concerns everybody.
type StoppedError struct{ Err error }

// Error says why.
func (e *StoppedError) Error() string {
	return fmt.Sprintf("stopped: %d tries failed the same way, and none succeeded in between: %v", breakAfter, e.Err)
}

// Unwrap returns the last of the failures.
func (e *StoppedError) Unwrap() error { return e.Err }
