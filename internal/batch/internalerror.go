package batch

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

// InternalError is a mistake in this program, which showed with one user.
type InternalError struct {
	fault any
	place string
}

// newInternalError is to be called by whoever recovers.
func newInternalError(fault any) *InternalError {
	pcs := make([]uintptr, 50)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	place, panicked := "", false
	for more := true; more && place == ""; {
		var frame runtime.Frame
		frame, more = frames.Next()
		own := !strings.HasPrefix(frame.Function, "runtime.")
		if panicked && own {
			place = fmt.Sprintf("%s/%s:%d", path.Base(path.Dir(frame.File)), path.Base(frame.File), frame.Line)
		}
		panicked = panicked || !own
	}
	return &InternalError{fault, place}
}

// Error says what it is and where.
func (e *InternalError) Error() string {
	return fmt.Sprintf("a mistake in this program: %v, at %s", e.fault, e.place)
}
