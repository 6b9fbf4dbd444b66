package pcscd

import (
	"fmt"
	"io"
)

// transmit has the card answer one APDU.
func (c *client) transmit(head header, r io.Reader) error {
	var body transmitBody
	if err := readBody(r, head.Size, &body); err != nil {
		return err
	}
	command, err := readData(r, body.SendSize)
	if err != nil {
		return err
	}
	answer, code := c.deliver(body.Card, body.SendProtocol, command)
	if code == codeSuccess && len(answer) > int(body.RecvSize) {
		code = codeInsufficientBuffer
	}
	body.RecvSize, body.RV = uint32(len(answer)), code
	reply := encode(&body)
	if code == codeSuccess {
		reply = append(reply, answer...)
	}
	return c.send(reply)
}

// deliver brings a command to the card and waits for its answer, for the end of
// the contact or for the end of the server.
func (c *client) deliver(id, protocol uint32, command []byte) ([]byte, uint32) {
	s := c.server
	s.mu.Lock()
	h, code := c.findLive(id)
	if code == codeSuccess {
		code = h.speaks(protocol)
	}
	if code != codeSuccess {
		s.mu.Unlock()
		return nil, code
	}
	r, ses := h.reader, h.reader.session
	s.mu.Unlock()

	answers := make(chan []byte, 1)
	s.wg.Go(func() {
		if answer, delivered := s.run(r, ses, command); delivered {
			answers <- answer
		}
	})
	select {
	case answer := <-answers:
		if len(answer) < 2 {
			return nil, codeNotTransacted
		}
		return answer, codeSuccess
	case <-ses.lost:
		s.mu.Lock()
		defer s.mu.Unlock()
		return nil, h.event
	case <-s.ctx.Done():
		return nil, codeServiceStopped
	}
}

// speaks checks the protocol of a command against the connection's.
func (h *handle) speaks(protocol uint32) uint32 {
	switch {
	case h.reader.session == nil:
		return codeNoSmartcard
	case protocol == protoRaw, protocol == protoAnyOld, protocol == h.protocol:
		return codeSuccess
	}
	return codeProtoMismatch
}

// run has the command executed, with the interceptor in between, and carries
// out its verdict. Without contact to the end there is no answer.
func (s *Server) run(r *reader, ses *session, command []byte) (answer []byte, delivered bool) {
	ses.busy.Lock()
	defer ses.busy.Unlock()
	select {
	case <-ses.lost:
		return nil, false
	default:
	}
	if ses.stale.Swap(false) {
		ses.card.Reset()
	}
	answer, verdict := s.intercept(r.index, command, ses.card.Transmit)
	if verdict == Delivered {
		return answer, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.session != ses {
		return nil, false // pulled by somebody else meanwhile
	}
	switch verdict {
	case GlitchReset:
		s.lose(r, codeResetCard, newSession(ses.card))
	case GlitchRemoved:
		s.lose(r, codeRemovedCard, newSession(ses.card))
	default:
		s.lose(r, codeRemovedCard, nil)
	}
	return nil, false
}

// control answers commands to the reader itself, of which it knows none.
func (c *client) control(head header, r io.Reader) error {
	var body controlBody
	if err := readBody(r, head.Size, &body); err != nil {
		return err
	}
	if _, err := readData(r, body.SendSize); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	c.server.mu.Lock()
	_, body.RV = c.findFree(body.Card)
	c.server.mu.Unlock()
	if body.RV == codeSuccess {
		body.RV = codeUnsupportedFeature
	}
	body.Returned = 0
	return c.send(encode(&body))
}
