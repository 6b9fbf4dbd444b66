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
		l.outage.expect(now.Add(in), now)
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
	if l.outage.passing(err, now) {
		close(l.pausing)
	}
}

// expect takes in when a user will be tried again.
func (l *Limiter) expect(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outage.expect(at, time.Now())
}

// inOutage returns how it stands while nobody gets through; ok is false while it is
// not worth telling.
func (l *Limiter) inOutage() (o Outage, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	o = Outage{For: now.Sub(l.outage.since), Cause: l.outage.cause, Paused: l.outage.paused, Next: max(l.outage.next.Sub(now), 0)}
	if o.Cause == nil {
		quiet := min(o.For, now.Sub(l.lastCall))
		return Outage{For: quiet}, l.inFlight > 0 && quiet >= hangAfter
	}
	return o, o.For >= tellAfter
}
