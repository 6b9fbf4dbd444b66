package batch

import (
	"context"
	"fmt"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/logging"
)

// InterruptedError is returned where a run was stopped before its end.
type InterruptedError struct{}

// Error says so.
func (e *InterruptedError) Error() string { return "stopped before the end" }

// Is makes it a cancellation, for the exit code.
func (e *InterruptedError) Is(target error) bool { return target == context.Canceled }

// Run reads the source into the ledger and works until none of its users waits.
// Users that fail do not make it fail; see the counts.
//
// An *InterruptedError says that Stopping was closed or the context ended, a
// *StoppedError that what failed concerns everybody, a *ledger.Error that
// nothing more could be recorded, a *TakenOverError that others have the rest.
// The same call goes on from there.
func Run(ctx context.Context, options Options) (ledger.Counts, error) {
	e, release := newEngine(ctx, options.withDefaults())
	defer release()
	o := e.options
	run, err := o.Ledger.Begin(e.hard, ledger.Run{Source: o.Source.Name(), Operator: o.Operator, Tool: o.Tool, DryRun: o.DryRun})
	if err != nil {
		return ledger.Counts{}, err
	}
	e.run = run
	e.tellSkew()
	working := logging.Adding(e.hard, logging.Run, run)
	err = e.read(working, run)
	if err == nil && !o.DryRun {
		err = e.workOff(working, run)
	}
	return e.end(ctx, run, err)
}

// TakenOverError is returned where users of a run's source went over to a later run, which has
// them in its source, too.
type TakenOverError struct{ Users, Of int }

// Error says how many.
func (e *TakenOverError) Error() string {
	return fmt.Sprintf("%d of %d users went over to a later run of the same ledger, which has them in its source, too", e.Users, e.Of)
}

// countTime bounds the last look at the ledger.
const countTime = 5 * time.Second

// end counts and closes the run.
func (e *engine) end(ctx context.Context, run int64, err error) (ledger.Counts, error) {
	l := e.options.Ledger
	// A ledger that went away was waited for before.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), countTime)
	defer cancel()
	counts, countErr := l.Counts(after, run)
	switch {
	case e.interrupted(err):
		err = &InterruptedError{}
	case err != nil:
	case countErr != nil:
		err = countErr
	case counts.TakenOver > 0:
		err = &TakenOverError{Users: counts.TakenOver, Of: counts.Total}
	case counts.Waiting == 0 || e.options.DryRun:
		err = l.Finish(after, run)
	}
	e.notify(ctx, Event{Kind: KindFinished, Counts: &counts})
	return counts, err
}

// workOff works until no entry of the run waits.
func (e *engine) workOff(ctx context.Context, run int64) error {
	l := e.options.Ledger
	counts, err := l.Counts(ctx, run)
	if err != nil {
		return err
	}
	e.notify(ctx, Event{Kind: KindStarted, Counts: &counts})
	if counts.Waiting == 0 || e.options.NoWork && l.Shared() {
		return nil
	}
	return e.sessions(ctx, func(s *session) error { return e.watch(s, run, counts) })
}

// Work works on a shared ledger for whoever fills it, until Stopping is closed or
// the context ends; then it returns an *InterruptedError. Of the options, Ledger,
// Domain, Limiter, GiveUp, RetryBase, Operator, Stopping and Notify count.
func Work(ctx context.Context, options Options) error {
	e, release := newEngine(ctx, options.withDefaults())
	defer release()
	e.tellSkew()
	err := e.sessions(e.hard, func(s *session) error {
		select {
		case <-e.soft.Done():
			return context.Cause(e.soft)
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		}
	})
	if e.interrupted(err) {
		return &InterruptedError{}
	}
	return err
}
