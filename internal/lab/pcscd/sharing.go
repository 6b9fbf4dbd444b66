package pcscd

import "bytes"

func (c *client) connect(body *connectBody) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	h := &handle{client: c, share: body.Share}
	if body.RV = s.open(h, body); body.RV != codeSuccess {
		body.Card = 0
		return
	}
	h.id = identifier(s.handles)
	s.handles[h.id] = h
	body.Card, body.Active = h.id, h.protocol
	s.notify()
}

// open finds the reader, waits for a transaction to end and attaches.
func (s *Server) open(h *handle, body *connectBody) uint32 {
	if h.client.context == 0 || body.Context != h.client.context {
		return codeInvalidHandle
	}
	if code := checkModes(body.Share, body.Preferred); code != codeSuccess {
		return code
	}
	name, _, _ := bytes.Cut(body.Reader[:], []byte{0})
	for _, r := range s.readers {
		if r.name == string(name) {
			h.reader = r
		}
	}
	if h.reader == nil || h.reader.away() {
		return codeUnknownReader
	}
	for h.reader.lock != nil && s.ctx.Err() == nil {
		if h.reader.sharing() == sharingExclusive {
			return codeSharingViolation
		}
		s.await(h.reader, lockPatience)
	}
	return h.attach(body.Share, body.Preferred)
}

func checkModes(share, protocols uint32) uint32 {
	switch {
	case share != shareExclusive && share != shareShared && share != shareDirect:
		return codeInvalidValue
	case share != shareDirect && protocols&protoKnown == 0:
		return codeProtoMismatch
	}
	return codeSuccess
}

// attach makes h one of the connections to what is in the reader now.
func (h *handle) attach(share, protocols uint32) uint32 {
	r := h.reader
	others := len(r.attached)
	if _, attached := r.attached[h]; attached {
		others--
	}
	switch {
	case r.away():
		return codeReaderUnavailable
	case share != shareDirect && r.session == nil:
		return codeNoSmartcard
	case share != shareDirect && protocols&(protoT1|protoRaw|protoAnyOld) == 0:
		// The ATR of a YubiKey offers T=1 alone.
		return codeProtoMismatch
	case others > 0 && (share == shareExclusive || r.sharing() == sharingExclusive):
		return codeSharingViolation
	}
	h.protocol = protoT1
	if protocols&protoRaw != 0 {
		h.protocol = protoRaw
	}
	if share == shareDirect && r.session == nil {
		h.protocol = protoUndefined
	}
	h.share, h.event = share, 0
	r.attached[h] = struct{}{}
	r.use(h)
	if share == shareExclusive {
		r.acquire(h)
	}
	return codeSuccess
}

func (c *client) reconnect(body *reconnectBody) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	h, code := c.findFree(body.Card)
	switch {
	case code != codeSuccess:
		body.RV = code
		return
	case body.Initialization > unpowerCard:
		body.RV = codeInvalidValue
		return
	}
	if body.RV = checkModes(body.Share, body.Preferred); body.RV != codeSuccess {
		return
	}
	was := h.share
	if body.RV = h.attach(body.Share, body.Preferred); body.RV != codeSuccess {
		return
	}
	if was == shareExclusive && body.Share != shareExclusive && h.reader.lock == h {
		h.reader.release()
	}
	if body.Initialization != leaveCard {
		h.reader.reset(h)
		h.reader.use(h)
	}
	body.Active = h.protocol
	s.notify()
}

func (c *client) disconnect(body *dispositionBody) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	find := c.find
	if body.Disposition == resetCard || body.Disposition == unpowerCard {
		find = c.findFree
	}
	h, code := find(body.Card)
	if body.RV = code; code != codeSuccess {
		return
	}
	if body.Disposition > ejectCard {
		body.RV = codeInvalidValue
		return
	}
	s.detach(h, body.Disposition)
}
