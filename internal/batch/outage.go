package batch

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/cse-piv/cse-piv/internal/gmail"
)

const (
	// breakAfter is how many tries may fail for a reason that concerns everybody, with
	// nobody getting through in between, before all others are spared the same. A user
	// who fails so more often, while others get through, fails alone. So many users it
	// also takes to tell that nobody is answered.
	breakAfter = 10
	// pauseAfter is how long nobody gets through before all but one are spared further
	// tries; firstProbe, which doubles up to lastProbe, is how long until one user is
	// tried again.
	pauseAfter            = 15 * time.Second
	firstProbe, lastProbe = 5 * time.Second, time.Minute
	// tellAfter is how long nobody gets through before it is told why, and hangAfter
	// how long calls go without any answer before that is told.
	tellAfter, hangAfter = 3 * time.Second, 20 * time.Second
)

// outage is the time since somebody got through last, and decides what follows from
// it: where what fails concerns everybody, such as the credentials, work stops;
// where Gmail does not answer or takes no more, it pauses. The Limiter guards it.
type outage struct {
	since time.Time // when somebody got through last, or work began
	kind  gmail.Kind
	tries int // that failed since for a reason that concerns everybody, the kind

	cause  error           // of the last failure since that may pass; nil for none
	users  map[string]bool // who failed so, breakAfter at most
	next   time.Time       // when somebody is tried again
	paused bool
	probe  time.Duration // how long until one user is tried, while paused
}

// Outage is how it stands while nobody gets through.
type Outage struct {
	For    time.Duration // since when
	Cause  error         // the last failure; nil where no call was answered at all
	Paused bool          // only one user is tried, from time to time
	Next   time.Duration // until somebody is tried again
}

// through takes in that Gmail did what was asked, or refused it for a user's sake.
func (o *outage) through(now time.Time) { *o = outage{since: now} }

// everybody takes in a failure that concerns everybody, and returns an error when
// work is to stop.
func (o *outage) everybody(err error) error {
	if kind := kindOf(err); kind != o.kind {
		o.kind, o.tries = kind, 0
	}
	if o.tries++; o.tries < breakAfter {
		return nil
	}
	return &StoppedError{Err: err}
}

// passing takes in a failure that may pass, and reports whether work pauses from
// now on. A way to Gmail that is not there concerns everybody; an answer such as 503
// may be about one user, so it takes several.
func (o *outage) passing(err error, now time.Time) bool {
	if o.users == nil {
		o.users = map[string]bool{}
	}
	if o.cause = err; len(o.users) < breakAfter {
		o.users[userOf(err)] = true
	}
	if o.paused || now.Sub(o.since) < pauseAfter || len(o.users) < breakAfter && !unreachable(err) {
		return false
	}
	o.paused, o.probe = true, firstProbe
	o.next = now.Add(o.probe)
	return true
}

// probed takes in that the one user who was tried did not get through either.
func (o *outage) probed(now time.Time) {
	o.probe = min(2*o.probe, lastProbe)
	o.next = now.Add(o.probe)
}

// expect takes in when a call or a user will be tried again.
func (o *outage) expect(at, now time.Time) {
	if !o.paused && (at.Before(o.next) || o.next.Before(now)) {
		o.next = at
	}
}

// mayPass tells failures after which nobody is known to get through, but may later.
func mayPass(err error) bool {
	switch kindOf(err) {
	case gmail.KindRateLimited, gmail.KindUnavailable, gmail.KindProtocol:
		return !isFar(err)
	}
	return false
}

// gotThrough tells the end of a user to whom Gmail did what was asked, or refused
// it for this user's sake.
func gotThrough(err error) bool {
	switch kindOf(err) {
	case gmail.KindRateLimited, gmail.KindUnavailable, gmail.KindProtocol, gmail.KindCanceled:
		return false
	case gmail.KindKeyPairDisabled:
		return true
	}
	var answered *gmail.Error
	return err == nil || errors.As(err, &answered) && answered.Status != 0 && !concernsEverybody(err)
}

// unreachable tells failures before anything was sent.
func unreachable(err error) bool {
	var dns *net.DNSError
	var dial *net.OpError
	return errors.As(err, &dns) || errors.As(err, &dial) && dial.Op == "dial"
}

// userOf is the address of the user whom a Gmail error is about.
func userOf(err error) string {
	var e *gmail.Error
	if errors.As(err, &e) {
		return e.User
	}
	return ""
}

// StoppedError is returned where work ended early because what failed concerns everybody.
type StoppedError struct{ Err error }

// Error says why.
func (e *StoppedError) Error() string {
	return fmt.Sprintf("stopped: %d tries failed the same way, and none succeeded in between: %v", breakAfter, e.Err)
}

// Unwrap returns the last of the failures.
func (e *StoppedError) Unwrap() error { return e.Err }
