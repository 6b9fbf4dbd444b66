package batch

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/sleep"
)

const (
	beatEvery = 5 * time.Second
	// SilentAfter is when a worker that cannot report stops acting: half of what
	// others wait before they take up its work.
	SilentAfter = 15 * time.Second
	// leaveTime bounds the end of a session whose ledger does not answer.
	leaveTime = 20 * time.Second
)

var errSilent = errors.New("the ledger hears nothing from this worker any more")

const (
	// claimEvery is how often users are claimed at most, so that some go together;
	// pollEvery how often where none was due.
	claimEvery, pollEvery = 10 * time.Millisecond, 200 * time.Millisecond
	// claimMost is how many are claimed at once at most.
	claimMost = 100
)

// session is the time in which a worker is known to the ledger under one name.
type session struct {
	engine *engine
	id     string

	ctx    context.Context // of everything that is under way
	cancel context.CancelCauseFunc
	soft   context.Context // ends when no more users are to be begun
	drain  context.CancelFunc

	beat    atomic.Pointer[time.Time]
	reports sync.WaitGroup
	works   sync.WaitGroup
	cutOff  atomic.Bool // whether Gmail may still be carrying out a call

	mu     sync.Mutex
	active map[string]bool // users who are worked on
}

// openSession enters the worker and begins to work on who waits.
func (e *engine) openSession(ctx context.Context) (*session, error) {
	s := &session{engine: e, id: "w-" + rand.Text(), active: map[string]bool{}}
	if err := s.report(ctx); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.soft, s.drain = context.WithCancel(e.soft)
	context.AfterFunc(s.ctx, s.drain)
	if e.options.Ledger.Shared() {
		s.reports.Go(s.stayAlive)
	}
	s.works.Go(s.claim)
	return s, nil
}

// claim claims users as there are slots for them, and begins to work on them, until no
// more are to be begun.
func (s *session) claim() {
	run := s.engine.run
	if s.engine.options.Ledger.Shared() {
		run = 0
	}
	for {
		slots, err := s.engine.options.Limiter.acquire(s.soft, claimMost)
		if err != nil {
			return
		}
		tasks, err := s.engine.options.Ledger.Claim(s.ctx, run, s.id, s.actives(), len(slots))
		_ = s.ledgerError(err)
		for i, slot := range slots {
			if i < len(tasks) {
				s.begin(tasks[i], slot)
			} else {
				slot.giveBack()
			}
		}
		pause := claimEvery
		if len(tasks) < len(slots) {
			pause = pollEvery
		}
		if sleep.For(s.soft, pause) != nil {
			return
		}
	}
}

// begin works on a user in a goroutine of its own.
func (s *session) begin(task ledger.Task, slot *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active[task.Email] = true
	s.works.Go(func() {
		s.work(task, slot)
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.active, task.Email)
	})
}

// actives are the users who are worked on.
func (s *session) actives() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.active))
}

// report tells the ledger that the worker is alive.
func (s *session) report(ctx context.Context) error {
	// The time before: what the ledger notes is not earlier.
	now := time.Now()
	ctx, cancel := context.WithTimeout(ctx, beatEvery)
	defer cancel()
	err := s.engine.options.Ledger.Heartbeat(ctx, s.id, s.engine.options.Operator)
	if s.engine.options.Ledger.Shared() {
		s.engine.options.OnHeartbeat(err)
	}
	if err != nil {
		return err
	}
	s.beat.Store(&now)
	return nil
}

// stayAlive reports until the session ends, and ends it when the ledger hears nothing
// any more.
func (s *session) stayAlive() {
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		if err := s.report(s.ctx); err != nil && s.silent() {
			s.cancel(errSilent)
		}
	}
}

// silent reports whether others may soon take this worker for dead.
func (s *session) silent() bool {
	return s.engine.options.Ledger.Shared() && time.Since(*s.beat.Load()) > SilentAfter
}

// ledgerError passes on an error of the ledger. Once an answer could not be
// recorded, nothing more is asked of Gmail: the session ends.
func (s *session) ledgerError(err error) error {
	if err != nil && !errors.Is(err, context.Canceled) {
		s.engine.options.OnLedgerError(err)
	}
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
	return s.ledgerError(s.engine.options.Ledger.CheckClaim(ctx, task))
}

// finish lets the users in flight come to their end, unless the session is broken or
// its context ends, and takes the worker off the ledger's list.
func (s *session) finish(ctx context.Context) error {
	s.drain()
	s.works.Wait()
	s.cancel(errStopping)
	s.reports.Wait()
	if s.cutOff.Load() {
		// Its claims hold until it counts as dead. By then Gmail is through with it.
		return nil
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	return s.engine.options.Ledger.Leave(bounded, s.id)
}
