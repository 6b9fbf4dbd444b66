package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
)

// errStopping is a stop that somebody asked for.
var errStopping = errors.New("no more users are begun")

// engine is what a run or a worker process works with from its start to its end.
type engine struct {
	options Options
	breaker breaker
	run     int64 // of a run's own events

	// soft ends when no more users are to be begun; its cause says why.
	soft    context.Context
	endSoft context.CancelCauseFunc

	notifyMu sync.Mutex
	ended    atomic.Int64  // users that came to an end here
	worked   chan struct{} // has room for one: somebody came to an end
}

// newEngine returns an engine that stops softly when the options' Stopping is
// closed or ctx ends. Its release is to be called in the end.
func newEngine(ctx context.Context, options Options) (e *engine, release func()) {
	e = &engine{options: options, worked: make(chan struct{}, 1)}
	// Cancelling is handled by the sessions; here it only means that no more users
	// are begun.
	e.soft, e.endSoft = context.WithCancelCause(context.WithoutCancel(ctx))
	var watcher sync.WaitGroup
	watcher.Go(func() {
		select {
		case <-options.Stopping:
		case <-ctx.Done():
		case <-e.soft.Done():
		}
		e.endSoft(errStopping)
	})
	return e, func() {
		e.endSoft(errStopping)
		watcher.Wait()
	}
}

// notify passes an event on, one at a time.
func (e *engine) notify(event Event) {
	event.Time = time.Now()
	if event.Run == 0 {
		event.Run = e.run
	}
	e.notifyMu.Lock()
	defer e.notifyMu.Unlock()
	e.options.Notify(event)
}

// fill makes a job for every waiting entry of a run that has none.
func (e *engine) fill(ctx context.Context, q queue, run int64) error {
	const page = 1000
	for after := ""; ; {
		turns, err := e.options.Ledger.Waiting(ctx, run, after, page)
		if err != nil {
			return err
		}
		if len(turns) > 0 {
			if err := q.insert(ctx, turns); err != nil {
				return &ledger.Error{Ledger: e.options.Ledger.Name(), Doing: "fill the queue", Err: err}
			}
			after = turns[len(turns)-1].Email
		}
		if len(turns) < page {
			return nil
		}
	}
}

// sessions opens sessions one after the other until one of them ends by itself
// or the engine stops: a shared ledger may go away and come back.
func (e *engine) sessions(ctx context.Context, watch func(*session) error) error {
	for {
		err := e.oneSession(ctx, watch)
		if !e.options.Ledger.Shared() || !comesBack(err) || e.soft.Err() != nil {
			return err
		}
		e.notify(Event{Kind: KindWarning, Reason: "ledger", Message: err.Error()})
		if err := e.awaitLedger(); err != nil {
			return err
		}
	}
}

// oneSession runs a session to its end.
func (e *engine) oneSession(ctx context.Context, watch func(*session) error) error {
	s, err := e.openSession(ctx)
	if err != nil {
		return err
	}
	err = watch(s)
	finishErr := s.finish(ctx)
	if broken := s.broken(); broken != nil {
		// What the queue and the watcher say about it besides is the same again.
		return broken
	}
	if err == nil && e.soft.Err() != nil {
		err = context.Cause(e.soft)
	}
	if err == nil {
		err = finishErr
	}
	return err
}

// comesBack reports whether a session ended because the ledger went away.
func comesBack(err error) bool {
	var failed *ledger.Error
	return errors.Is(err, errSilent) || errors.As(err, &failed)
}

// awaitTime is how long a shared ledger that went away is waited for.
const awaitTime = 10 * time.Minute

// awaitLedger returns when the ledger answers again.
func (e *engine) awaitLedger() error {
	ctx, cancel := context.WithTimeout(e.soft, awaitTime)
	defer cancel()
	for {
		_, err := e.options.Ledger.Workers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			if e.soft.Err() != nil {
				return context.Cause(e.soft)
			}
			return fmt.Errorf("waited %v: %w", awaitTime, err)
		}
	}
}
