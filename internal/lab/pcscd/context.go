package pcscd

import "math/rand/v2"

// identifier returns a context or handle number that is not in use. Numbers are
// random, not counted: libpcsclite loops for ever over a context number that it
// knows already, maybe from an earlier server in the same process.
func identifier[V any](used map[uint32]V) uint32 {
	for {
		id := rand.Uint32() >> 1 // handles are signed on the wire
		if _, taken := used[id]; id != 0 && !taken {
			return id
		}
	}
}

func (c *client) establish(body *establishBody) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(c)
	if s.refuses {
		body.RV = codeSecurityViolation
		return
	}
	c.context = identifier(s.contexts)
	s.contexts[c.context] = c
	body.Context, body.RV = c.context, codeSuccess
}

func (c *client) releaseContext(body *releaseBody) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.context == 0 || body.Context != c.context {
		body.RV = codeInvalidHandle
		return
	}
	s.forget(c)
	body.RV = codeSuccess
}

// forget ends a client's context and everything it holds. A transaction that
// its program left open ends with a reset of the card.
func (s *Server) forget(c *client) {
	for _, h := range s.handles {
		if h.client != c {
			continue
		}
		disposition := leaveCard
		if h.reader.lock == h {
			disposition = resetCard
		}
		s.detach(h, disposition)
	}
	if c.context != 0 {
		delete(s.contexts, c.context)
		c.context = 0
	}
	c.waiting = false
}

// detach ends a connection. With the last one the card's grace begins.
func (s *Server) detach(h *handle, disposition uint32) {
	r := h.reader
	if r.lock == h {
		r.release()
	}
	delete(s.handles, h.id)
	if _, attached := r.attached[h]; !attached {
		return
	}
	delete(r.attached, h)
	if disposition == resetCard || disposition == unpowerCard {
		r.reset(h)
	}
	if r.session != nil && disposition == unpowerCard {
		r.session.unpowered = true
	}
	s.rest(r)
	s.notify()
}
