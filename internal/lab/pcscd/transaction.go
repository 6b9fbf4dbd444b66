package pcscd

import "time"

// lockPatience is how long a call waits for somebody else's transaction before
// it answers with a sharing violation; libpcsclite then asks again.
const lockPatience = 100 * time.Millisecond

// await waits for the reader's transaction to end, for a while. The caller
// holds the server's mutex, which is released meanwhile.
func (s *Server) await(r *reader, timeout time.Duration) {
	released := r.released
	s.mu.Unlock()
	defer s.mu.Lock()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-released:
	case <-timer.C:
	case <-s.ctx.Done():
	}
}

// find returns the handle with that number if it is this client's. The caller
// holds the server's mutex.
func (c *client) find(id uint32) (*handle, uint32) {
	h := c.server.handles[id]
	if h == nil || h.client != c {
		return nil, codeInvalidHandle
	}
	return h, codeSuccess
}

// findFree is find, once nobody else holds a transaction on the reader.
func (c *client) findFree(id uint32) (*handle, uint32) {
	h, code := c.find(id)
	if code != codeSuccess {
		return nil, code
	}
	if r := h.reader; r.lock != nil && r.lock != h {
		c.server.await(r, lockPatience)
		if r.lock != nil && r.lock != h {
			return nil, codeSharingViolation
		}
	}
	return h, codeSuccess
}

// findLive is findFree for a card that nothing happened to.
func (c *client) findLive(id uint32) (*handle, uint32) {
	h, code := c.findFree(id)
	if code == codeSuccess && h.event != 0 {
		return nil, h.event
	}
	return h, code
}

func (c *client) begin(body *handleBody) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	h, code := c.findLive(body.Handle)
	if body.RV = code; code == codeSuccess {
		h.reader.acquire(h)
	}
}

func (c *client) end(body *dispositionBody) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	h, code := c.find(body.Card)
	switch {
	case code != codeSuccess:
		body.RV = code
	case body.Disposition > ejectCard:
		body.RV = codeInvalidValue
	case h.event != 0:
		body.RV = h.event
	case h.reader.lock == nil:
		body.RV = codeNotTransacted
	case h.reader.lock != h:
		body.RV = codeSharingViolation
	default:
		body.RV = codeSuccess
		r := h.reader
		if body.Disposition == resetCard || body.Disposition == unpowerCard {
			r.reset(nil)
		}
		if r.depth--; r.depth <= 0 {
			r.release()
		}
	}
}

func (c *client) status(body *handleBody) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	_, body.RV = c.findLive(body.Handle)
}
