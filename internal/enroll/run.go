package enroll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cse-piv/cse-piv/internal/piv"
)

// retriesPerStep is how often a step is begun again because the card lost its
// power or came back, before the card or its contacts are called bad.
const retriesPerStep = 12

// StepError is returned for a step that failed, with its cause.
type StepError struct {
	Step Step
	Err  error
}

// Error says what was being done and why it failed.
func (e *StepError) Error() string { return fmt.Sprintf("%s: %v", e.Step.Title, e.Err) }

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }

// ErrNotVerified is returned by a step whose change was made without an error and was
// not there when the step looked again.
var ErrNotVerified = errors.New("verification after the change failed")

// Run carries out the plan for the request and returns the receipt. Every
// failure is a *StepError, a *UsageError or the context's error; whatever was
// done stays done, and the same request goes on from there.
func Run(ctx context.Context, deps Dependencies, request Request) (*Receipt, error) {
	if err := request.Validate(); err != nil {
		return nil, err
	}
	e, err := run(ctx, deps, request, NewPlan)
	if e.receipt != nil {
		for i := range e.receipt.Copies {
			e.receipt.Copies[i].Imported = e.copies.imported[i]
		}
	}
	return e.receipt, err
}

// run carries out a plan, and returns what came of it.
func run(ctx context.Context, deps Dependencies, request Request, newPlan func(Request) Plan) (*enrollment, error) {
	e := newEnrollment(deps, request)
	tell := e.deps.Notify
	e.deps.Notify = func(event Event) {
		e.record(event)
		log(e.about(ctx), event)
		tell(event)
	}
	defer e.release(ctx)
	for i, plan := 0, newPlan(request); i < len(plan); i++ {
		step := plan[i]
		e.events.current = Event{Step: step.ID, Title: step.Title, Slot: step.Slot, Index: i + 1, Of: len(plan)}
		if err := e.carryOut(e.about(ctx), step); err != nil {
			e.notify(StateFailed, err.Error())
			return e, &StepError{Step: step, Err: err}
		}
		plan = newPlan(e.request) // what was begun may have other keys
	}
	return e, nil
}

// finishTimeout is how long a command of the card, or the look after a change, may take
// to finish when the enrollment is stopped; making a large RSA key takes longest.
const finishTimeout = 2 * time.Minute

// release waits for the card to come to rest and lets other processes enroll the
// user again. The lock ends with the process at the latest, so failing to release
// it does not fail the enrollment.
func (e *enrollment) release(ctx context.Context) {
	if e.card.Card != nil {
		resting, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
		defer cancel()
		_ = e.card.Release(resting)
	}
	if e.evidence.unlock != nil {
		_ = e.evidence.unlock()
	}
}

// carryOut checks, or for a change looks, acts and looks again, and begins again each
// time that the card lost contact.
func (e *enrollment) carryOut(ctx context.Context, step Step) error {
	e.notify(StateStarted, "")
	e.events.skipped = ""
	acted, lastLook := false, false
	for retries := 0; ; {
		done, err := step.isSo(ctx, e, acted)
		switch {
		case err != nil:
		case done && e.events.skipped != "":
			e.notify(StateSkipped, e.events.skipped)
			return nil
		case done && (acted || step.Kind != KindChange):
			e.notify(StateDone, "")
			return nil
		case done:
			e.notify(StateAlready, "")
			return nil
		case acted && retries == 0:
			return ErrNotVerified
		default:
			acted = true
			if err = step.act(ctx, e); err == nil {
				retries = 0
				continue
			}
		}
		if !e.mayComeBack(err) || ctx.Err() != nil {
			return err
		}
		// Whatever the broken command did, the next look tells.
		if retries++; retries > retriesPerStep {
			return fmt.Errorf("the card failed %d times in a row: %w", retries, err)
		}
		e.notify(StateRetry, contactLost(err).Error())
		switch back, waitErr := e.awaitCard(ctx, err); {
		case waitErr != nil:
			return waitErr
		case !back && lastLook:
			return err
		case !back:
			lastLook = true // a slow machine may not have seen in time that it is back
		default:
			lastLook = false
		}
	}
}

// isSo makes the step's check and looks, and reports whether nothing is to be changed.
// What was changed already is verified even where the run is to stop.
func (s Step) isSo(ctx context.Context, e *enrollment, acted bool) (bool, error) {
	if s.check != nil {
		if err := s.check(ctx, e); err != nil {
			return false, err
		}
	}
	if s.look == nil {
		return true, nil
	}
	if acted {
		looking, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
		defer cancel()
		ctx = looking
	}
	return s.look(ctx, e)
}

// mayComeBack reports whether the card may answer when it is back: its contact
// broke, or it is out although it was there when the plan began.
func (e *enrollment) mayComeBack(err error) bool {
	switch contactLost(err) {
	case piv.ErrReset, piv.ErrRemoved:
		return true
	case piv.ErrNoCard, piv.ErrNoReader:
		return e.card.Card != nil
	}
	return false
}

// contactLost returns why the card does not answer, without what was being done then;
// nil where that is not what is wrong.
func contactLost(err error) error {
	for _, cause := range []error{piv.ErrReset, piv.ErrRemoved, piv.ErrNoCard, piv.ErrNoReader} {
		if errors.Is(err, cause) {
			return cause
		}
	}
	return nil
}

// awaitCard returns when the card is in a reader again and answers, or reports
// false when it did not in the time that it gets.
func (e *enrollment) awaitCard(ctx context.Context, cause error) (back bool, err error) {
	if e.card.Card == nil {
		// Nothing is known of the card yet: the next look finds it or says so.
		return true, nil
	}
	if e.deps.CardTimeout > 10*time.Second && !errors.Is(cause, piv.ErrReset) {
		e.notify(StateCardOut, fmt.Sprintf("put card %d back in", e.request.Serial))
		defer func() {
			if back {
				e.notify(StateCardBack, "")
			}
		}()
	}
	waiting, cancel := context.WithTimeout(ctx, e.deps.CardTimeout)
	defer cancel()
	err = e.deps.WaitForCard(waiting, e.request.Serial)
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return false, nil
	}
	return false, err
}
