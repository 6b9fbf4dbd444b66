package batch

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
)

const (
	// never is the answer of a job that needs not come again.
	never time.Duration = -1
	// overtakenWait is when a job comes again whose user another worker acts for.
	overtakenWait = 2 * time.Second
	// turnTime is how long a user of a shared ledger is kept waiting for room here;
	// then another worker may have more.
	turnTime = 5 * time.Second
)

// work is one job of the queue. It returns when the job is to come again.
//
// The entry is read before the user's turn and recorded as done after it: what
// counts as in flight is at Gmail.
func (s *session) work(ctx context.Context, email string) time.Duration {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.ctx, func() { cancel(context.Cause(s.ctx)) })()
	task, ok, err := s.engine.options.Ledger.Take(ctx, email, s.id)
	if err != nil {
		s.ledgerError(err)
		return overtakenWait
	}
	if !ok {
		return s.ended()
	}
	s.taken.Add(1)
	room := s.takeTurn(ctx)
	if room == nil {
		s.ledgerError(s.engine.options.Ledger.LetGo(ctx, task))
		return overtakenWait
	}
	found, err := s.registerSafely(ctx, &task)
	again := s.settle(ctx, task, found, err, room.release(err))
	if again < 0 {
		return s.ended()
	}
	return again
}

// ended wakes whoever watches for the last of a run's users.
func (s *session) ended() time.Duration {
	s.engine.ended.Add(1)
	select {
	case s.engine.worked <- struct{}{}:
	default:
	}
	return never
}

// takeTurn waits for room for another user, and returns nil where there is none.
func (s *session) takeTurn(ctx context.Context) *room {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.engine.options.Ledger.Shared() {
		defer time.AfterFunc(turnTime, cancel).Stop()
	}
	defer context.AfterFunc(s.soft, cancel)()
	room, err := s.engine.options.Limiter.acquire(waiting)
	if err != nil {
		return nil
	}
	return room
}

// settle records how a registration ended, and says when to try again.
func (s *session) settle(ctx context.Context, task ledger.Task, found bool, err error, verdict verdict) time.Duration {
	l := s.engine.options.Ledger
	var failed *ledger.Error
	var cut *cutOffError
	switch {
	case err == nil:
		if err := s.ledgerError(l.RecordDone(ctx, task, s.engine.options.Operator, found)); err != nil {
			return s.overtaken(ctx, task, err)
		}
		s.engine.notify(Event{Kind: KindDone, Run: task.Run, Email: task.Email, Where: task.Where})
		return never
	case errors.As(err, &cut):
		s.cutOff.Store(true)
		return 0
	case errors.Is(err, ledger.ErrChanged):
		return s.overtaken(ctx, task, err)
	case ctx.Err() != nil, kindOf(err) == gmail.KindCanceled, errors.Is(err, errSilent), errors.As(err, &failed):
		// Not this user's fault: the next run, or another worker, goes on.
		s.ledgerError(l.LetGo(ctx, task))
		return 0
	case verdict.spared:
		// Nor where nobody gets through.
		s.ledgerError(l.LetGo(ctx, task))
		return max(overtakenWait, askedWait(err))
	}
	again := s.trouble(ctx, task, err)
	if verdict.stop != nil {
		s.engine.endSoft(verdict.stop)
	}
	return again
}

// overtaken is for a task of which nothing could be recorded: whoever takes the
// user next, here or elsewhere, looks at what is asked for now.
func (s *session) overtaken(ctx context.Context, task ledger.Task, err error) time.Duration {
	if errors.Is(err, ledger.ErrChanged) {
		s.ledgerError(s.engine.options.Ledger.LetGo(ctx, task))
	}
	return overtakenWait
}

// trouble records why a user is not done, and says when to try again.
func (s *session) trouble(ctx context.Context, task ledger.Task, cause error) time.Duration {
	describe(&task, cause)
	task.Attempts++
	final := isFar(cause)
	switch {
	case concernsEverybody(cause):
		final = task.Attempts > breakAfter
	case task.Class != ledger.ClassLater || task.Attempts >= s.engine.options.GiveUp:
		final = true
	}
	if err := s.ledgerError(s.engine.options.Ledger.RecordTrouble(ctx, task, s.engine.options.Operator, final)); err != nil {
		return s.overtaken(ctx, task, err)
	}
	event := Event{Kind: KindFailed, Run: task.Run, Email: task.Email, Where: task.Where, Reason: task.Reason, Message: task.Message, Hint: task.Hint}
	if final {
		s.engine.notify(event)
		return never
	}
	event.Kind, event.Wait = KindRetry, retryWait(cause, s.engine.options.RetryBase, task.Attempts)
	s.engine.options.Limiter.expect(time.Now().Add(event.Wait))
	s.engine.notify(event)
	return event.Wait
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
