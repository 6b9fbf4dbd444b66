package pcscd

import "time"

// DefaultGrace is how long pcscd leaves a card its power after the last
// connection to it was closed (PCSCLITE_POWER_OFF_GRACE_PERIOD in pcscd.h).
const DefaultGrace = 5 * time.Second

// Grace sets how long a card keeps its power, and with it the selected
// application and what was verified, after the last connection was closed: zero
// stands for DefaultGrace, a negative time for none.
func Grace(d time.Duration) Option {
	return func(s *Server) {
		if s.grace = d; d == 0 {
			s.grace = DefaultGrace
		}
	}
}

// Fresh tells whether the card in a reader will meet its next command as if it
// had just been powered up, whatever it was told before. The error is
// ErrNoReader or ErrEmpty.
func (s *Server) Fresh(reader int) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.occupied(reader)
	if err != nil {
		return false, err
	}
	return r.session.stale.Load(), nil
}

// reset has the card lose its power before the next command. All connections
// but that of the one who asked for it are told. The protocol has to be agreed
// on anew.
func (r *reader) reset(by *handle) {
	for h := range r.attached {
		if h != by {
			h.event = codeResetCard
		}
	}
	if r.session != nil {
		r.session.powerDown()
	}
}

// powerDown makes the session forget what was agreed on since the card's power
// came on, and the card what it was told. As with pcscd the reader still shows
// a card with power, nobody is told, and the next connection powers it up.
func (ses *session) powerDown() {
	ses.stale.Store(true)
	ses.protocol = protoUndefined
}

// use has a connection agree on a protocol with the card, which ends the grace
// and gives power back to a card that was left without it. A direct connection
// is one to the reader and does neither.
func (r *reader) use(h *handle) {
	if r.session == nil || h.share == shareDirect {
		return
	}
	r.session.endGrace()
	r.session.unpowered = false
	r.session.protocol = h.protocol
}

func (ses *session) endGrace() {
	if ses.used != nil {
		close(ses.used)
		ses.used = nil
	}
}

// rest starts the grace of a reader that nobody is connected to any more. The
// caller holds the server's mutex.
func (s *Server) rest(r *reader) {
	ses := r.session
	switch {
	case ses == nil, len(r.attached) > 0:
		return
	case s.grace < 0:
		ses.powerDown()
		return
	}
	ses.endGrace()
	used := make(chan struct{})
	ses.used = used
	s.wg.Go(func() {
		timer := time.NewTimer(s.grace)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-used:
			return
		case <-ses.lost:
			return
		case <-s.ctx.Done():
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if ses.used == used {
			ses.used = nil
			ses.powerDown()
		}
	})
}
