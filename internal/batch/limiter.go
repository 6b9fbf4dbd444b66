package batch

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

// cutPause is how long after a cut another rate limit says nothing new: what was
// in flight then meets the same limit.
const cutPause = time.Second

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
// increase, multiplicative decrease). When nobody gets through for a while, it has
// one user tried from time to time, until somebody does. Give its Pace and Wait to
// gmail.Config. It is safe for concurrent use, and serves one run or worker at a time.
type Limiter struct {
	most int
	pace *rate.Limiter // nil: as fast as it goes

	mu       sync.Mutex
	limit    int
	inFlight int
	answered int // since the limit grew
	lastCut  time.Time
	share    float64 // of calls lately that met a rate limit
	lastCall time.Time

	freed    chan struct{} // has room for one: there may be a free slot
	outage   outage
	pausing  chan struct{}   // closed when work pauses
	probing  bool            // while paused, one user is tried
	stopping <-chan struct{} // closed when no more users are begun
}

// NewLimiter allows concurrency users in flight, and callsPerSecond calls of the
// API, 0 for any number.
func NewLimiter(concurrency int, callsPerSecond float64) *Limiter {
	l := &Limiter{most: max(concurrency, 1), freed: make(chan struct{}, 1)}
	l.begin(nil)
	l.limit = l.most
	if callsPerSecond > 0 {
		// A quarter of a second's worth at once at most.
		l.pace = rate.NewLimiter(rate.Limit(callsPerSecond), max(int(callsPerSecond/4), 1))
	}
	return l
}

// begin prepares for a run or worker that begins no more users once stopping is
// closed.
func (l *Limiter) begin(stopping <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopping, l.probing, l.pausing = stopping, false, make(chan struct{})
	l.outage.through(time.Now())
}

// Pace waits until the next call may be made.
func (l *Limiter) Pace(ctx context.Context) error {
	l.mu.Lock()
	l.share -= l.share / shareCalls
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lastCall = time.Now()
	}()
	if l.pace == nil {
		return nil
	}
	// Not Wait: it refuses at once what a deadline will not allow.
	call := l.pace.Reserve()
	timer := time.NewTimer(call.Delay())
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		call.Cancel()
		return ctx.Err()
	}
}

// learn cuts the bound where Gmail says that it is too much. The caller holds mu.
func (l *Limiter) learn(err error) {
	if !isRateLimit(err) || isFar(err) { // a used-up day does not come back by going slower
		return
	}
	l.share += (1 - l.share) / shareCalls
	if now := time.Now(); l.share > tooMany && now.Sub(l.lastCut) >= cutPause {
		l.lastCut, l.answered = now, 0
		l.limit = max(l.limit/2, 1)
	}
}

func isRateLimit(err error) bool { return kindOf(err) == gmail.KindRateLimited }
