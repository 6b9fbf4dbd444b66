package batch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
)

// ErrNotAsked is part of the error of a user whom Gmail was not asked about, because nobody
// got through before.
var ErrNotAsked = errors.New("not asked, as nobody got through before")

// Answer is what came of asking about one of many users.
type Answer[U, A any] struct {
	User  U
	Value A
	Err   error
}

// Ask asks Gmail about many users, so many at once as the limiter allows, and yields the
// answers in the order of the users, with those of the limiter's users in memory. When
// nobody gets through, for a reason that concerns everybody or for a quarter of a minute, nobody
// else is asked: their answers have ErrNotAsked and the reason. An error of the users, or
// the context's, ends it.
func Ask[U, A any](ctx context.Context, limiter *Limiter, users iter.Seq2[U, error], ask func(context.Context, U) (A, error)) iter.Seq2[Answer[U, A], error] {
	return func(yield func(Answer[U, A], error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer cancel()
		a := &asking[U, A]{limiter: limiter, ask: ask, workers: &workers, queue: make(chan chan Answer[U, A], limiter.most)}
		workers.Go(func() {
			defer close(a.queue)
			a.err = a.begin(ctx, users)
		})
		for answer := range a.queue {
			if !yield(<-answer, nil) {
				return
			}
		}
		if a.err != nil {
			yield(Answer[U, A]{}, a.err)
		}
	}
}

// asking is one call of Ask.
type asking[U, A any] struct {
	limiter *Limiter
	ask     func(context.Context, U) (A, error)
	workers *sync.WaitGroup
	// queue has where each answer comes, in the users' order.
	queue chan chan Answer[U, A]
	err   error // with which it ends, set before queue is closed

	mu    sync.Mutex
	cause error // why nobody else is asked
}

// begin begins with one user after the other, to the last.
func (a *asking[U, A]) begin(ctx context.Context, users iter.Seq2[U, error]) error {
	for user, err := range users {
		if err != nil {
			return err
		}
		answer := make(chan Answer[U, A], 1)
		var slots []*slot
		if a.givenUp() == nil {
			if slots, err = a.limiter.acquire(ctx, 1); err != nil {
				return err
			}
		}
		if cause := a.givenUp(); cause != nil {
			for _, slot := range slots {
				slot.giveBack()
			}
			answer <- Answer[U, A]{User: user, Err: fmt.Errorf("%w: %w", ErrNotAsked, cause)}
		} else {
			a.workers.Go(func() { answer <- a.one(ctx, slots[0], user) })
		}
		select {
		case a.queue <- answer:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// one asks about one user.
func (a *asking[U, A]) one(ctx context.Context, slot *slot, user U) Answer[U, A] {
	value, err := a.ask(ctx, user)
	if verdict := slot.release(err); verdict.stop != nil || verdict.spared {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.cause == nil {
			a.cause = err
		}
	}
	return Answer[U, A]{User: user, Value: value, Err: err}
}

func (a *asking[U, A]) givenUp() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cause
}
