package pcscd

import "fmt"

// states sends all reader states; with wait it also has the client told about
// the next change.
func (c *client) states(head header, wait bool) error {
	if head.Size != 0 {
		return fmt.Errorf("body of %d bytes where none was expected", head.Size)
	}
	// The client's write lock is held from the registration to the end of the
	// reply, so that a notification can only come after it.
	c.write.Lock()
	defer c.write.Unlock()
	s := c.server
	s.mu.Lock()
	var all [maxReaders]readerState
	for i, r := range s.readers {
		all[i] = r.state()
	}
	if wait {
		c.waiting = true
	}
	s.mu.Unlock()
	if _, err := c.conn.Write(encode(&all)); err != nil {
		return fmt.Errorf("send states: %w", err)
	}
	return nil
}

// notify tells every waiting client, once, that something changed. The caller
// holds the server's mutex.
func (s *Server) notify() {
	for c := range s.clients {
		s.wake(c, codeSuccess)
	}
}

// wake ends a client's wait, if it does wait. The message is sent by a
// goroutine of its own: a client that does not read must hold up nobody.
func (s *Server) wake(c *client, code uint32) {
	if !c.waiting {
		return
	}
	c.waiting = false
	s.wg.Go(func() {
		// A client that cannot be reached is noticed where it is read from.
		_ = c.send(encode(&eventBody{RV: code}))
	})
}

// stopWaiting answers only if the client was not told of a change already: a
// waiting client gets one message, that or this.
func (c *client) stopWaiting(head header) error {
	if head.Size != 0 {
		return fmt.Errorf("body of %d bytes where none was expected", head.Size)
	}
	c.server.mu.Lock()
	was := c.waiting
	c.waiting = false
	c.server.mu.Unlock()
	if !was {
		return nil
	}
	return c.send(encode(&eventBody{RV: codeSuccess}))
}

// cancel ends the wait of another connection, named by its context.
func (c *client) cancel(body *handleBody) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	target := s.contexts[body.Handle]
	if target == nil {
		body.RV = codeInvalidHandle
		return
	}
	s.wake(target, codeCancelled)
	body.RV = codeSuccess
}

// readerEvents answers how often readers came and went.
func (c *client) readerEvents(head header) error {
	if head.Size != 0 {
		return fmt.Errorf("body of %d bytes where none was expected", head.Size)
	}
	c.server.mu.Lock()
	body := countBody{Events: c.server.comings}
	c.server.mu.Unlock()
	return c.send(encode(&body))
}
