package batch

import (
	"context"
	"time"
)

// Wait learns from a call that failed, and waits until it is made again. It reports
// false, at once, when work ends or pauses: it is not to be made again then.
func (l *Limiter) Wait(ctx context.Context, err error, in time.Duration) bool {
	l.mu.Lock()
	l.learn(err)
	now := time.Now()
	if mayPass(err) {
		l.stall.expect(now.Add(in), now)
		l.failed(err, now)
	}
	pausing, stopping := l.pausing, l.stopping
	l.mu.Unlock()
	timer := time.NewTimer(in)
	defer timer.Stop()
	select {
	case <-pausing:
	case <-stopping:
	case <-ctx.Done():
	case <-timer.C:
		return true
	}
	return false
}

// failed takes in a failure that may pass. The caller holds mu.
func (l *Limiter) failed(err error, now time.Time) {
	if l.stall.passing(err, now) {
		close(l.pausing)
		l.admitAt(l.stall.next)
	}
}

// expect takes in when a user will be tried again.
func (l *Limiter) expect(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stall.expect(at, time.Now())
}

// stalled returns how it stands while nobody gets through; ok is false while it is
// not worth telling.
func (l *Limiter) stalled() (s Stall, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	s = Stall{For: now.Sub(l.stall.since), Cause: l.stall.cause, Paused: l.stall.paused, Next: max(l.stall.next.Sub(now), 0)}
	if s.Cause == nil {
		quiet := min(s.For, now.Sub(l.lastCall))
		return Stall{For: quiet}, l.inFlight > 0 && quiet >= hangAfter
	}
	return s, s.For >= tellAfter
}
