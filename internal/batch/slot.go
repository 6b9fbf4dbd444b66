package batch

import (
	"context"
	"time"
)

// slot is the right to have one user in flight.
type slot struct {
	limiter *Limiter
	probe   bool // work is paused, and this user is tried
}

// verdict is what the end of a user means for others.
type verdict struct {
	// spared: others fail the same way, or work ends: it says nothing about the user.
	spared bool
	stop   error // why no more users are to be begun
}

// acquire waits until one more user may be in flight, and returns as many slots as
// there are then, most at most; or an error when the context ends.
func (l *Limiter) acquire(ctx context.Context, most int) ([]*slot, error) {
	for {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		slots, wait := l.take(most)
		if len(slots) > 0 {
			return slots, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-l.freed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// take takes the slots that are free; where there are none, wait is how long until
// there may be one, unless one is freed before.
func (l *Limiter) take(most int) (slots []*slot, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for len(slots) < most && l.isFree(now) {
		if l.inFlight == 0 && l.outage.cause == nil {
			l.outage.since = now // nobody was to get through before
		}
		l.inFlight++
		l.probing = l.outage.paused
		slots = append(slots, &slot{l, l.probing})
	}
	if l.isFree(now) {
		l.tellFreed() // for others who wait
	}
	if l.outage.paused && !l.probing {
		return slots, l.outage.next.Sub(now)
	}
	return slots, time.Hour
}

// isFree reports whether one more user may be begun. The caller holds mu.
func (l *Limiter) isFree(now time.Time) bool {
	if l.outage.paused {
		return !l.probing && !now.Before(l.outage.next)
	}
	return l.inFlight < l.limit
}

// tellFreed wakes whoever waits for a slot.
func (l *Limiter) tellFreed() {
	select {
	case l.freed <- struct{}{}:
	default:
	}
}

// free takes a slot back. The caller holds mu.
func (l *Limiter) free(s *slot) {
	l.inFlight--
	if s.probe {
		l.probing = false
	}
	l.tellFreed()
}

// giveBack is release for a slot that nobody was there for.
func (s *slot) giveBack() {
	s.limiter.mu.Lock()
	defer s.limiter.mu.Unlock()
	s.limiter.free(s)
}

// release gives the slot back with what became of the user, and says what follows from it.
func (s *slot) release(err error) verdict {
	l := s.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.free(s)
	now := time.Now()
	l.learn(err)
	if !isLater(err) && l.limit < l.most {
		if l.answered++; l.answered >= l.limit {
			l.limit++
			l.answered = 0
		}
	}
	switch {
	case gotThrough(err):
		if l.outage.paused {
			l.probing, l.pausing = false, make(chan struct{})
		}
		l.outage.through(now)
	case concernsEverybody(err):
		return verdict{stop: l.outage.everybody(err)}
	case mayPass(err):
		l.failed(err, now)
		if s.probe && l.outage.paused {
			l.outage.probed(now)
		}
		select {
		case <-l.stopping:
			return verdict{spared: true}
		default:
			return verdict{spared: l.outage.paused}
		}
	}
	return verdict{}
}
