package batch

import (
	"context"
	"time"
)

// room is that for one user.
type room struct {
	limiter *Limiter
	given   chan struct{} // closed when there is room
	probe   bool          // nobody got through lately, and this one is tried
}

// verdict is what the end of a user means for others.
type verdict struct {
	// spared: others fail the same way, or work ends: it says nothing about the user.
	spared bool
	stop   error // why no more users are to be begun
}

// acquire waits for room for one user, first come, first served, or until the
// context ends.
func (l *Limiter) acquire(ctx context.Context) (*room, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	r := &room{limiter: l, given: make(chan struct{})}
	l.mu.Lock()
	place := l.waiting.PushBack(r)
	l.admit()
	l.mu.Unlock()
	select {
	case <-r.given:
		return r, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-r.given:
		// Both at once: somebody else takes the room.
		l.leave(r)
	default:
		l.waiting.Remove(place)
	}
	return nil, ctx.Err()
}

// admit gives room to those who wait. The caller holds mu.
func (l *Limiter) admit() {
	now := time.Now()
	for l.waiting.Len() > 0 && l.hasRoom(now) {
		r := l.waiting.Remove(l.waiting.Front()).(*room)
		if l.inFlight == 0 && l.stall.cause == nil {
			l.stall.since = now // nobody was to get through before
		}
		l.inFlight++
		r.probe = l.stall.paused
		l.probing = l.probing || r.probe
		close(r.given)
	}
}

// hasRoom reports whether one more user may be begun. The caller holds mu.
func (l *Limiter) hasRoom(now time.Time) bool {
	if l.stall.paused {
		return !l.probing && !now.Before(l.stall.next)
	}
	return l.inFlight < l.limit
}

// admitAt has whoever waits admitted later. The caller holds mu.
func (l *Limiter) admitAt(at time.Time) {
	if l.wake != nil {
		l.wake.Stop()
	}
	l.wake = time.AfterFunc(time.Until(at), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.admit()
	})
}

// leave gives the room to the next. The caller holds mu.
func (l *Limiter) leave(r *room) {
	l.inFlight--
	if r.probe {
		l.probing = false
	}
	l.admit()
}

// release gives the room back with what became of the user, and says what follows from it.
func (r *room) release(err error) verdict {
	l := r.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.leave(r)
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
		if l.stall.paused {
			l.probing, l.pausing = false, make(chan struct{})
		}
		l.stall.through(now)
	case concernsEverybody(err):
		return verdict{stop: l.stall.everybody(err)}
	case mayPass(err):
		l.failed(err, now)
		if r.probe && l.stall.paused {
			l.stall.probed(now)
			l.admitAt(l.stall.next)
		}
		select {
		case <-l.stopping:
			return verdict{spared: true}
		default:
			return verdict{spared: l.stall.paused}
		}
	}
	return verdict{}
}
