package batch

import (
	"container/list"
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

// settle is how long after a cut another rate limit says nothing new: what was
// in flight then meets the same limit.
const settle = time.Second

const (
	// tooMany is the share of calls that meet a rate limit from which on it is cut:
	// a few among many are a user's own, and say nothing about the others.
	tooMany = 0.1
	// shareCalls is about how many calls the share is measured over.
	shareCalls = 64
)

// Limiter bounds how many users are in flight, and how many calls a second are
// made. When Gmail says that it is too much, more than now and then, the first bound
// is halved; it grows by one for every round of users whom Gmail answered (additive
// increase, multiplicative decrease). Give its Pace and OnRetry to gmail.Config. It is safe for
// concurrent use.
type Limiter struct {
	most int
	pace *rate.Limiter // nil: as fast as it goes

	mu       sync.Mutex
	limit    int
	inFlight int
	answered int // since the limit grew
	lastCut  time.Time
	share    float64   // of calls lately that met a rate limit
	waiting  list.List // of chan struct{}, each closed when it has room
}

// NewLimiter allows concurrency users in flight, and callsPerSecond calls of the
// API, 0 for any number.
func NewLimiter(concurrency int, callsPerSecond float64) *Limiter {
	l := &Limiter{most: max(concurrency, 1)}
	l.limit = l.most
	if callsPerSecond > 0 {
		// A quarter of a second's worth at once at most.
		l.pace = rate.NewLimiter(rate.Limit(callsPerSecond), max(int(callsPerSecond/4), 1))
	}
	return l
}

// Pace waits until the next call may be made.
func (l *Limiter) Pace(ctx context.Context) error {
	l.mu.Lock()
	l.share -= l.share / shareCalls
	l.mu.Unlock()
	if l.pace == nil {
		return nil
	}
	// Not Wait: it refuses at once what a deadline will not allow.
	turn := l.pace.Reserve()
	timer := time.NewTimer(turn.Delay())
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		turn.Cancel()
		return ctx.Err()
	}
}

// OnRetry learns from calls that gmail will repeat.
func (l *Limiter) OnRetry(_ string, err error, _ time.Duration) { l.learn(err) }

// Limit is how many users may be in flight now.
func (l *Limiter) Limit() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limit
}

// acquire waits for room for one user, first come, first served, or until the
// context ends.
func (l *Limiter) acquire(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	l.mu.Lock()
	if l.inFlight < l.limit && l.waiting.Len() == 0 {
		l.inFlight++
		l.mu.Unlock()
		return nil
	}
	room := make(chan struct{})
	place := l.waiting.PushBack(room)
	l.mu.Unlock()
	select {
	case <-room:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-room:
		// Both at once: somebody else takes the room.
		l.inFlight--
		l.admit()
	default:
		l.waiting.Remove(place)
	}
	return ctx.Err()
}

// admit gives room to those who wait. The caller holds mu.
func (l *Limiter) admit() {
	for l.inFlight < l.limit && l.waiting.Len() > 0 {
		close(l.waiting.Remove(l.waiting.Front()).(chan struct{}))
		l.inFlight++
	}
}

// release ends what acquire began.
func (l *Limiter) release(err error) {
	l.learn(err)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	if !isLater(err) && l.limit < l.most {
		if l.answered++; l.answered >= l.limit {
			l.limit++
			l.answered = 0
		}
	}
	l.admit()
}

func (l *Limiter) learn(err error) {
	if !isRateLimit(err) || isFar(err) { // a used-up day does not come back by going slower
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.share += (1 - l.share) / shareCalls
	if now := time.Now(); l.share > tooMany && now.Sub(l.lastCut) >= settle {
		l.lastCut, l.answered = now, 0
		l.limit = max(l.limit/2, 1)
	}
}

func isRateLimit(err error) bool { return kindOf(err) == gmail.KindRateLimited }
