package batch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

const (
	beatEvery = 5 * time.Second
	// silentAfter is when a worker that cannot report stops acting: half of what
	// others wait before they take up its work.
	silentAfter = 15 * time.Second
	// stopTime bounds the end of a session whose ledger does not answer.
	stopTime = 20 * time.Second
)

var errSilent = errors.New("the ledger hears nothing from this worker any more")

// session is the time in which a worker is known to the ledger under one name.
type session struct {
	engine *engine
	id     string
	queue  queue

	ctx    context.Context // of everything that is under way
	cancel context.CancelCauseFunc
	soft   context.Context // ends when no more users are to be begun
	drain  context.CancelFunc

	beat atomic.Pointer[time.Time]
	done sync.WaitGroup

	taken  atomic.Int64 // users since the last beat
	cutOff atomic.Bool  // whether Gmail may still be carrying out a call
}

// openSession enters the worker, takes up what dead ones left, and begins to
// work on the queue.
func (e *engine) openSession(ctx context.Context) (*session, error) {
	s := &session{engine: e, id: "w-" + rand.Text()}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.soft, s.drain = context.WithCancel(e.soft)
	if err := s.start(ctx); err != nil {
		s.cancel(errStopping)
		s.drain()
		return nil, err
	}
	return s, nil
}

func (s *session) start(ctx context.Context) error {
	l := s.engine.options.Ledger
	if err := s.report(ctx); err != nil {
		return err
	}
	if _, err := l.Requeue(ctx); err != nil {
		return err
	}
	_ = l.Broken() // of before
	var err error
	// Twice as many as are in flight: the next job is there when one ends.
	s.queue, err = newQueue(l, s.id, 2*s.engine.options.Limiter.most, s.work)
	if err != nil {
		return err
	}
	if err := s.queue.Start(context.WithoutCancel(ctx)); err != nil {
		return &ledger.Error{Ledger: l.Name(), Doing: "start the queue", Err: err}
	}
	if l.Shared() {
		s.done.Go(s.stayAlive)
	}
	return nil
}

// report tells the ledger that the worker is alive.
func (s *session) report(ctx context.Context) error {
	// The time before: what the ledger notes is not earlier.
	now := time.Now()
	ctx, cancel := context.WithTimeout(ctx, beatEvery)
	defer cancel()
	if err := s.engine.options.Ledger.Heartbeat(ctx, s.id, s.engine.options.Operator); err != nil {
		return err
	}
	s.beat.Store(&now)
	return nil
}

// stayAlive reports until the session ends, takes up the jobs of dead workers and,
// when it has nothing else to do, users whose jobs got lost. It ends the session
// when the ledger hears nothing any more.
func (s *session) stayAlive() {
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		if err := s.report(s.ctx); err != nil {
			if s.silent() {
				s.cancel(errSilent)
			}
			continue
		}
		// What cannot be done now is done at the next beat.
		_, _ = s.engine.options.Ledger.Requeue(s.ctx)
		if s.taken.Swap(0) == 0 {
			_ = s.remember(s.ctx)
		}
	}
}

// remember makes jobs for users who wait and have none: one that was enqueued in
// the moment in which the job before it ended has none.
func (s *session) remember(ctx context.Context) error {
	turns, err := s.engine.options.Ledger.Forgotten(ctx, fillRows)
	if err != nil {
		return err
	}
	return s.engine.enqueue(ctx, s.queue, turns)
}

// silent reports whether others may soon take this worker for dead.
func (s *session) silent() bool {
	return s.engine.options.Ledger.Shared() && time.Since(*s.beat.Load()) > silentAfter
}

// ledgerError passes on an error of the ledger. Once an answer could not be
// recorded, nothing more is asked of Gmail: the session ends.
func (s *session) ledgerError(err error) error {
	if err != nil && !errors.Is(err, ledger.ErrChanged) && !errors.Is(err, context.Canceled) {
		s.cancel(err)
	}
	return err
}

// broken is why the session ended before its time, or nil.
func (s *session) broken() error {
	if cause := context.Cause(s.ctx); cause != nil && !errors.Is(cause, errStopping) && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// mayAct is asked before every call that creates something.
func (s *session) mayAct(ctx context.Context, task ledger.Task) error {
	if s.silent() {
		s.cancel(errSilent)
		return errSilent
	}
	if err := s.broken(); err != nil {
		return err
	}
	return s.ledgerError(s.engine.options.Ledger.StillMine(ctx, task))
}

// finish lets the users in flight come to their end, unless the session is
// broken or its context ends, and closes the session.
func (s *session) finish(ctx context.Context) error {
	s.drain()
	// Where it is cut short, the rest is told below.
	softErr := s.queue.Stop(s.ctx)
	if s.ctx.Err() != nil {
		softErr = nil
	}
	s.cancel(errStopping)
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	err := errors.Join(softErr, s.queue.StopAndCancel(bounded))
	s.done.Wait()
	if err != nil {
		return fmt.Errorf("stop the queue: %w", err)
	}
	if s.cutOff.Load() {
		// Its claims hold until it counts as dead. By then Gmail is through with it.
		return nil
	}
	return s.engine.options.Ledger.Leave(bounded, s.id)
}
