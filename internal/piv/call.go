package piv

import (
	"context"
	"fmt"
	"time"
)

// PC/SC calls cannot be interrupted: a card may wait for a touch, generate a
// key for a minute, or sit behind a driver that hangs. So each operation runs in
// a goroutine of its own and holds its lock until it has come back, while the
// caller stops waiting when its context ends or the limit is reached.

// lock lets one operation at a time through.
type lock chan struct{}

func newLock() lock { return make(lock, 1) }

// reminder calls something once when an operation that has begun to wait for a
// person is still not back after a while.
type reminder struct {
	began chan struct{} // the operation sends when it begins
	after time.Duration
	call  func()
}

type outcome[T any] struct {
	value T
	err   error
}

// run does the work with the lock and returns its outcome, or the context's error
// or ErrNoAnswer when that comes first. Work that was given up on is finished in
// the background; whoever takes the lock next waits for it.
func run[T any](ctx context.Context, l lock, limit time.Duration, remind *reminder, work func() (T, error)) (T, error) {
	var zero T
	timer := time.NewTimer(limit)
	defer timer.Stop()
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	select {
	case l <- struct{}{}:
	case <-ctx.Done():
		return zero, ctx.Err()
	case <-timer.C:
		return zero, fmt.Errorf("%w: the operation before has not come back", ErrNoAnswer)
	}
	done := make(chan outcome[T], 1)
	go func() {
		value, err := work()
		<-l
		done <- outcome[T]{value, classify(err)}
	}()
	var (
		began   <-chan struct{}
		overdue <-chan time.Time
	)
	if remind != nil {
		began = remind.began
	}
	for {
		select {
		case result := <-done:
			return result.value, result.err
		case <-ctx.Done():
			return zero, ctx.Err()
		case <-timer.C:
			return zero, fmt.Errorf("%w within %v", ErrNoAnswer, limit)
		case <-began:
			began = nil
			wait := time.NewTimer(remind.after)
			defer wait.Stop()
			overdue = wait.C
		case <-overdue:
			overdue = nil
			remind.call()
		}
	}
}

// backoff is how long a card gets to come back after the contact was lost for
// the n-th time, counted from 0.
func backoff(n int) time.Duration { return 10 * time.Millisecond << (2 * n) }
