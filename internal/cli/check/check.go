// Package check is what is looked at before work: readers and cards, credentials and what
// Gmail answers, the issuer, the escrow, the ledger, folders and settings. The doctor and
// the start of a desk make the same checks. They change nothing and give a card no PIN.
package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/format"
)

// limit is how long one check may take.
const limit = 30 * time.Second

// job is a check that is made once, by whoever asks for its result first.
type job struct {
	name  string
	needs []*job
	limit time.Duration
	hint  func(error) string
	run   func(ctx context.Context) desk.Check

	lock   chan struct{} // a mutex that can be waited for under a context
	result desk.Check    // zero before it was made
}

// list is the checks of a setup, in the order in which they are shown.
type list struct {
	hint  func(error) string
	limit time.Duration
	jobs  []*job
}

// add puts a check at the end; it is skipped where one that it needs did not succeed.
func (l *list) add(name string, run func(ctx context.Context) desk.Check, needs ...*job) *job {
	j := &job{name: name, needs: needs, limit: l.limit, hint: l.hint, run: run, lock: make(chan struct{}, 1)}
	l.jobs = append(l.jobs, j)
	return j
}

// checks returns the checks, each still to be finished.
func (l *list) checks() []desk.Check {
	var all []desk.Check
	for _, j := range l.jobs {
		all = append(all, desk.Check{Name: j.name, Needs: j.names(), Finish: j.finish})
	}
	return all
}

func (j *job) names() (names []string) {
	for _, need := range j.needs {
		names = append(names, need.name)
	}
	return names
}

// finish returns the check's result, and makes it where nobody has.
func (j *job) finish(ctx context.Context) desk.Check {
	result := j.make(ctx)
	result.Name, result.Needs, result.Finish = j.name, j.names(), nil
	if result.Err != nil {
		if result.Detail == "" {
			result.Detail = failure.OneLine(result.Err)
		}
		if result.Fix == "" {
			result.Fix = j.hint(result.Err)
		}
	}
	return result
}

func (j *job) make(ctx context.Context) desk.Check {
	for _, need := range j.needs {
		if got := need.finish(ctx); got.State == desk.CheckFailed || got.State == desk.CheckSkipped {
			return skipped("needs " + need.name)
		}
	}
	select {
	case j.lock <- struct{}{}:
	case <-ctx.Done():
		return failed(ctx.Err())
	}
	defer func() { <-j.lock }()
	if j.result.State == desk.CheckRunning {
		result := j.within(ctx)
		if ctx.Err() != nil {
			return result // of who was interrupted, not of the check
		}
		j.result = result
	}
	return j.result
}

// within makes the check in its time. What hangs all the same is left behind: it is a
// call into a driver or a file system that nothing ends.
func (j *job) within(ctx context.Context) desk.Check {
	bounded, cancel := context.WithTimeout(ctx, j.limit)
	defer cancel()
	ended := make(chan desk.Check, 1)
	go func() {
		defer func() {
			if cause := recover(); cause != nil {
				ended <- failed(fmt.Errorf("this check broke, which is a mistake in the program: %v", cause))
			}
		}()
		ended <- j.run(bounded)
	}()
	select {
	case result := <-ended:
		if !errors.Is(result.Err, context.DeadlineExceeded) || ctx.Err() != nil {
			return result
		}
	case <-bounded.Done():
	}
	if ctx.Err() != nil {
		return failed(ctx.Err())
	}
	return failed(&failure.NoAnswerError{Within: format.Duration(j.limit)})
}

// Finish finishes all checks side by side, and returns them in their order. An interrupt
// is the error.
func Finish(ctx context.Context, checks []desk.Check) ([]desk.Check, error) {
	finished := slices.Clone(checks)
	var wait sync.WaitGroup
	for i, check := range checks {
		if check.Finish == nil {
			continue
		}
		wait.Go(func() { finished[i] = check.Finish(ctx) })
	}
	wait.Wait()
	return finished, ctx.Err()
}

func ok(format string, args ...any) desk.Check {
	return desk.Check{State: desk.CheckOK, Detail: fmt.Sprintf(format, args...)}
}

// failed is the check that an error ended; it says the error, and the hint about it.
func failed(err error) desk.Check { return desk.Check{State: desk.CheckFailed, Err: err} }

// warned is a check that an error did not end.
func warned(err error) desk.Check { return desk.Check{State: desk.CheckWarning, Err: err} }

func skipped(why string) desk.Check { return desk.Check{State: desk.CheckSkipped, Detail: why} }

// withWarnings adds what a dependency has to say before it is used.
func withWarnings(check desk.Check, warnings ...string) desk.Check {
	if len(warnings) > 0 && check.State != desk.CheckFailed {
		check.State, check.Fix = desk.CheckWarning, strings.Join(warnings, "; ")
	}
	return check
}
