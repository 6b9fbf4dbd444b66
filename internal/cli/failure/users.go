package failure

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

// NobodyError is returned where a source has no users, which is more likely a mistake.
type NobodyError struct {
	Source string
	Only   bool // nobody that --only names
}

// Error names the source.
func (e *NobodyError) Error() string {
	if e.Only {
		return fmt.Sprintf("no users in %s that --only names", e.Source)
	}
	return fmt.Sprintf("no users in %s", e.Source)
}

// BatchError is returned where a batch came to its end, and not everybody got through.
type BatchError struct {
	Counts   ledger.Counts
	DryRun   bool
	Reported bool
}

// Error counts those who failed, and all.
func (e *BatchError) Error() string {
	what := "failed"
	if e.DryRun {
		what = "cannot be registered"
	}
	return fmt.Sprintf("%s of %s users %s", format.Number(e.Counts.Failed), format.Number(e.Counts.Total), what)
}

// RecordsError is returned by a drill of the escrow where records do not open.
type RecordsError struct {
	Closed, Total int
	Sealed        int // of the closed ones, to identities that are not at hand
}

// Error counts.
func (e *RecordsError) Error() string {
	return fmt.Sprintf("%d of %s do not open", e.Closed, format.Count(e.Total, "record"))
}

// UsersError is returned by a command that was carried out for some users only.
type UsersError struct {
	Failed, Total int
	What          string // was counted
}

// Error counts.
func (e *UsersError) Error() string {
	return fmt.Sprintf("%d of %s failed", e.Failed, format.Count(e.Total, e.What))
}

// Several is the one failure of a single user or change, or that some of several failed; nil
// where none did. What was counted is "user" or "change"; results is a failure or nil for each.
func Several(results []error, what string) error {
	failed := slices.DeleteFunc(slices.Clone(results), func(err error) bool { return err == nil })
	switch {
	case len(failed) == 0:
		return nil
	case len(results) == 1:
		return failed[0]
	}
	return &UsersError{Failed: len(failed), Total: len(results), What: what}
}

// FindingsError is returned where users are not as they should be, or could not be looked at.
type FindingsError struct{ Found, Total int }

// Error counts.
func (e *FindingsError) Error() string {
	return fmt.Sprintf("%s of %s: something is to be done, or Gmail did not answer", format.Number(e.Found), format.Count(e.Total, "user"))
}

// NoRunError is returned where there is no run of a batch to report: none was recorded, or there is
// no ledger yet.
type NoRunError struct {
	Ledger string
	Err    error // why
}

// Error names the ledger.
func (e *NoRunError) Error() string {
	if errors.Is(e.Err, ledger.ErrNoRun) {
		return fmt.Sprintf("ledger %s has no run yet", e.Ledger)
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *NoRunError) Unwrap() error { return e.Err }
