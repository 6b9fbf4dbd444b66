package batch

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/logging"
)

// changedWait is when a user is tried again whose task changed.
const changedWait = 2 * time.Second

// work sees to one user. The slot is released before the end is recorded: what counts
// as in flight is at Gmail.
func (s *session) work(task ledger.Task, slot *slot) {
	ctx := logging.Adding(s.ctx, logging.Run, task.Run, logging.Email, task.Email, logging.UserAttempt, task.Attempts+1)
	unchanged, err := s.registerSafely(ctx, &task)
	s.record(ctx, task, unchanged, err, slot.release(err))
}

// ended wakes whoever watches for the last of a run's users.
func (s *session) ended() {
	s.engine.ended.Add(1)
	select {
	case s.engine.worked <- struct{}{}:
	default:
	}
}

// record writes into the ledger how a registration ended.
func (s *session) record(ctx context.Context, task ledger.Task, unchanged bool, err error, verdict verdict) {
	var failed *ledger.Error
	var cut *cutOffError
	switch {
	case err == nil:
		if s.recorded(ctx, task, s.engine.options.Ledger.RecordDone(ctx, task, s.engine.options.Operator, unchanged)) {
			s.engine.notify(ctx, Event{Kind: KindDone, Run: task.Run, Email: task.Email, Where: task.Where})
			s.ended()
		}
	case errors.As(err, &cut):
		s.cutOff.Store(true) // the claim holds
	case errors.Is(err, ledger.ErrChanged):
		s.release(ctx, task, changedWait)
	case ctx.Err() != nil, kindOf(err) == gmail.KindCanceled, errors.Is(err, errSilent), errors.As(err, &failed):
		// Not this user's fault: the next run, or another worker, goes on.
		s.release(ctx, task, 0)
	case verdict.spared:
		// Nor where nobody gets through.
		s.release(ctx, task, max(changedWait, askedWait(err)))
	default:
		s.fail(ctx, task, err)
		if verdict.stop != nil {
			s.engine.endSoft(verdict.stop)
		}
	}
}

// recorded reports whether the end of a task could be recorded. One that changed is
// released: whoever claims the user next looks at what is asked for now.
func (s *session) recorded(ctx context.Context, task ledger.Task, err error) bool {
	if errors.Is(err, ledger.ErrChanged) {
		s.release(ctx, task, changedWait)
	}
	return s.ledgerError(err) == nil
}

func (s *session) release(ctx context.Context, task ledger.Task, wait time.Duration) {
	_ = s.ledgerError(s.engine.options.Ledger.Release(ctx, task, wait))
}

// fail records why a user is not done, for good or until another try.
func (s *session) fail(ctx context.Context, task ledger.Task, cause error) {
	s.engine.options.describe(&task, cause)
	task.Attempts++
	final := isFar(cause)
	switch {
	case concernsEverybody(cause):
		final = task.Attempts > breakAfter
	case task.Class != ledger.ClassLater || task.Attempts >= s.engine.options.GiveUp:
		final = true
	}
	event := Event{Kind: KindFailed, Run: task.Run, Email: task.Email, Where: task.Where, Reason: task.Reason, Message: task.Message, Hint: task.Hint}
	l := s.engine.options.Ledger
	if final {
		if s.recorded(ctx, task, l.RecordFailure(ctx, task, s.engine.options.Operator)) {
			s.engine.notify(ctx, event)
			s.ended()
		}
		return
	}
	event.Kind, event.Wait = KindRetry, retryWait(cause, s.engine.options.RetryBase, task.Attempts)
	if s.recorded(ctx, task, l.RecordRetry(ctx, task, event.Wait)) {
		s.engine.options.Limiter.expect(time.Now().Add(event.Wait))
		s.engine.notify(ctx, event)
	}
}

// isFar reports whether the server names a time that a run does not wait for.
func isFar(cause error) bool {
	return askedWait(cause) > maxRetryWait
}

// askedWait is how long from now the server wants to be asked again; not positive
// where it does not say.
func askedWait(cause error) time.Duration {
	var answered *gmail.Error
	if errors.As(cause, &answered) && !answered.RetryAt.IsZero() {
		return time.Until(answered.RetryAt)
	}
	return 0
}

// retryWait grows with the attempts; the server's own time counts if it is later.
func retryWait(cause error, base time.Duration, attempts int) time.Duration {
	if concernsEverybody(cause) {
		base, attempts = min(base, time.Second), 1
	}
	wait := min(base<<min(attempts-1, 10), maxRetryWait)
	wait += time.Duration(rand.Int64N(int64(wait)/4 + 1))
	return max(wait, askedWait(cause))
}
