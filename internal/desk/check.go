package desk

import "context"

// Check is one thing that work needs, and whether it is as it has to be.
type Check struct {
	Name  string
	Needs []string // the names of the checks without which this one is skipped
	State CheckState
	// Detail is what was found, in one line.
	Detail string
	Fix    string // what to do, where it is not all right
	Err    error  // why it failed
	// Finish finds out the rest, of a check whose State is CheckRunning.
	Finish func(ctx context.Context) Check
}

// CheckState is the outcome of a Check.
type CheckState string

// The outcomes of a check.
const (
	CheckRunning CheckState = "" // not known yet
	CheckOK      CheckState = "ok"
	CheckWarning CheckState = "warning" // work can go on
	CheckFailed  CheckState = "failed"  // it cannot
	CheckSkipped CheckState = "skipped" // what it needs was not given, or failed
)
