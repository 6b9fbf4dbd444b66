package batch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/logging"
	"github.com/cse-piv/cse-piv/internal/sleep"
)

// errStopping is a stop that somebody asked for.
var errStopping = errors.New("no more users are begun")

// stopGrace is how long what is in flight may take to come to its end once no more
// users are begun: a few calls.
const stopGrace = 10 * time.Second

// engine is what a run or a worker process works with from its start to its end.
type engine struct {
	options Options
	run     int64 // of a run's own events

	// soft ends when no more users are to be begun; its cause says why.
	soft    context.Context
	endSoft context.CancelCauseFunc
	// hard ends some seconds later, or with the caller's context: what is in flight
	// then is cut off.
	hard    context.Context
	endHard context.CancelCauseFunc

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
	e.hard, e.endHard = context.WithCancelCause(context.WithoutCancel(ctx))
	options.Limiter.begin(e.soft.Done())
	var watchers sync.WaitGroup
	watchers.Go(func() {
		select {
		case <-options.Stopping:
		case <-ctx.Done():
			e.endHard(errStopping)
		case <-e.soft.Done():
		}
		e.endSoft(errStopping)
		select {
		case <-time.After(stopGrace):
		case <-ctx.Done():
		case <-e.hard.Done():
		}
		e.endHard(errStopping)
	})
	return e, func() {
		e.endSoft(errStopping)
		e.endHard(errStopping)
		watchers.Wait()
	}
}

// interrupted reports whether work ended with an error because somebody asked for
// its end.
func (e *engine) interrupted(err error) bool {
	if err == nil || errors.As(err, new(*StoppedError)) {
		return false
	}
	return errors.Is(err, errStopping) || e.hard.Err() != nil
}

// notify writes an event into the log of the context and passes it on, one at a time.
func (e *engine) notify(ctx context.Context, event Event) {
	event.Time = time.Now()
	if event.Run == 0 {
		event.Run = e.run
	}
	e.notifyMu.Lock()
	defer e.notifyMu.Unlock()
	write(ctx, event)
	e.options.Notify(event)
}

// write writes an event into the log of the run, where one was asked for. How far it is
// every second is not written.
func write(ctx context.Context, event Event) {
	level := slog.LevelInfo
	switch event.Kind {
	case KindProgress, KindRead:
		return
	case KindFailed:
		level = slog.LevelError
	case KindRetry, KindWarning, KindStalled, KindPaused:
		level = slog.LevelWarn
	}
	attributes := []slog.Attr{slog.String("event", string(event.Kind))}
	if event.Run != 0 {
		attributes = append(attributes, slog.Int64(logging.Run, event.Run))
	}
	for _, text := range []slog.Attr{slog.String(logging.Email, event.Email), slog.String("where", event.Where), slog.String("reason", event.Reason), slog.String("message", event.Message)} {
		if text.Value.String() != "" {
			attributes = append(attributes, text)
		}
	}
	logging.Write(ctx, level, "batch", attributes...)
}

// muchSkew is from when on two clocks are told to differ.
const muchSkew = 5 * time.Second

// tellSkew tells when this machine's clock is another than the shared ledger's.
// The queue goes by the ledger's; Google goes by its own.
func (e *engine) tellSkew() {
	skew, how := e.options.Ledger.Skew().Round(time.Second), "ahead of"
	if skew < 0 {
		skew, how = -skew, "behind"
	}
	if skew < muchSkew {
		return
	}
	e.notify(e.hard, Event{Kind: KindWarning, Reason: "clock",
		Message: fmt.Sprintf("this machine's clock is %v %s the clock of the ledger's database, which the ledger goes by", skew, how),
		Hint:    "set the one that is wrong: Google refuses credentials from a machine whose clock is"})
}

const (
	// awaitTime is how long a shared ledger that went away is waited for, awaitStep
	// how long it is left alone between two sessions.
	awaitTime = 10 * time.Minute
	awaitStep = 500 * time.Millisecond
	// goodTime is how long a session lasts that counts as the end of a bad time.
	goodTime = time.Minute
)

// sessions opens sessions one after the other until one of them ends by itself
// or the engine stops: a shared ledger may go away and come back.
func (e *engine) sessions(ctx context.Context, watch func(*session) error) error {
	telling, end := context.WithCancel(ctx)
	var teller sync.WaitGroup
	teller.Go(func() { e.tellOutages(telling) })
	defer teller.Wait()
	defer end()
	good, told := time.Now(), false
	for {
		lasted, err := e.oneSession(ctx, watch)
		if !e.options.Ledger.Shared() || !comesBack(err) || e.soft.Err() != nil {
			return err
		}
		if lasted > goodTime {
			good, told = time.Now(), false
		}
		if time.Since(good) > awaitTime {
			return fmt.Errorf("waited %v: %w", awaitTime, err)
		}
		if !told {
			told = true
			e.notify(e.hard, Event{Kind: KindWarning, Reason: "ledger", Message: err.Error()})
		}
		if sleep.For(e.soft, awaitStep) != nil {
			return context.Cause(e.soft)
		}
	}
}

// oneSession runs a session to its end. It returns how long it lasted, 0 for one
// that could not be opened.
func (e *engine) oneSession(ctx context.Context, watch func(*session) error) (time.Duration, error) {
	s, err := e.openSession(ctx)
	if err != nil {
		return 0, err
	}
	opened := time.Now()
	err = watch(s)
	leaveErr := s.finish(ctx)
	lasted := time.Since(opened)
	if broken := s.broken(); broken != nil {
		// What the watcher says about it besides is the same again.
		return lasted, broken
	}
	if err == nil && e.soft.Err() != nil {
		err = context.Cause(e.soft)
	}
	if err == nil {
		err = leaveErr
	}
	return lasted, err
}

// comesBack reports whether a session ended because the ledger went away.
func comesBack(err error) bool {
	var failed *ledger.Error
	return errors.Is(err, errSilent) || errors.As(err, &failed) && failed.Passing()
}
