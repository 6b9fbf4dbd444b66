package yubikey

// maxCommandData is the size of the buffer that chained and extended commands
// are put together in. A YubiKey 4 or 5 takes no more in one command.
const maxCommandData = 3072

// chain is a command under way in parts (ISO/IEC 7816-4, 5.1.1).
type chain struct {
	active      bool
	ins, p1, p2 byte
	data        []byte
}

// exchange answers one command APDU. c.mu is held.
func (c *Card) exchange(raw []byte) ([]byte, status) {
	cmd, ok := parseCommand(raw)
	if !ok {
		return nil, swWrongLength
	}
	switch {
	case cmd.cla&claSecureMessaging != 0 && cmd.cla&0xe0 == 0:
		return nil, swNoSecureMessaging
	case cmd.cla&claLogicalChannel != 0 && cmd.cla&0xe0 == 0:
		return nil, swNoLogicalChannel
	case cmd.cla&^claChaining != 0:
		return nil, swUnknownClass
	}
	if cmd.ins == insGetResponse {
		if len(c.session.pending) == 0 {
			return nil, swWrongData
		}
		return c.nextPart(cmd.le)
	}
	c.session.pending = nil
	cmd, complete, sw := c.assemble(cmd)
	if !complete {
		return nil, sw
	}
	data, sw := c.dispatch(cmd)
	if c.persist() != nil {
		return nil, swMemoryFailure
	}
	data, sw = c.lied(cmd, data, sw)
	if sw != swOK {
		return nil, sw
	}
	c.session.pending = data
	return c.nextPart(cmd.le)
}

// assemble puts the parts of a chained command together. It reports false with
// the status word to answer while the last part is still to come. A command
// that does not continue the chain ends it.
func (c *Card) assemble(cmd command) (command, bool, status) {
	parts := &c.session.chain
	continues := parts.active && parts.ins == cmd.ins && parts.p1 == cmd.p1 && parts.p2 == cmd.p2
	if !continues {
		*parts = chain{}
	}
	if len(parts.data)+len(cmd.data) > maxCommandData {
		*parts = chain{}
		return command{}, false, swWrongLength
	}
	data := append(parts.data[:len(parts.data):len(parts.data)], cmd.data...)
	if cmd.cla&claChaining != 0 {
		*parts = chain{active: true, ins: cmd.ins, p1: cmd.p1, p2: cmd.p2, data: data}
		return command{}, false, swOK
	}
	*parts = chain{}
	cmd.data = data
	return cmd, true, swOK
}

// nextPart takes up to le bytes off the response under way and says with 61xx
// how much is left for GET RESPONSE.
func (c *Card) nextPart(le int) ([]byte, status) {
	n := min(le, len(c.session.pending))
	part := c.session.pending[:n]
	c.session.pending = c.session.pending[n:]
	left := len(c.session.pending)
	switch {
	case left == 0:
		c.session.pending = nil
		return part, swOK
	case left > 0xff:
		return part, swMoreData
	}
	return part, swMoreData | status(left)
}
