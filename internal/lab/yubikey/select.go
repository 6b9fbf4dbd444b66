package yubikey

import "bytes"

// applet is the application that commands go to.
type applet byte

const (
	noApplet applet = iota
	pivApplet
	managementApplet
	otpApplet
)

// Application identifiers. A right-truncated one selects too (SP 800-73-4
// Part 2, 3.1.1), down to the shortest given.
var applets = []struct {
	applet   applet
	aid      []byte
	shortest int
}{
	{pivApplet, []byte{0xa0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00}, 5},
	{managementApplet, []byte{0xa0, 0x00, 0x00, 0x05, 0x27, 0x47, 0x11, 0x17}, 8},
	{otpApplet, []byte{0xa0, 0x00, 0x00, 0x05, 0x27, 0x20, 0x01, 0x01}, 7},
}

// dispatch gives a whole command to the selected applet.
func (c *Card) dispatch(cmd command) ([]byte, status) {
	if cmd.ins == insSelect {
		return c.selectApplet(cmd)
	}
	switch c.session.applet {
	case pivApplet:
		return c.piv(cmd)
	case managementApplet:
		return c.management(cmd)
	case otpApplet:
		return c.otp(cmd)
	}
	return nil, swUnknownInstruction
}

// selectApplet selects by application identifier (SP 800-73-4 Part 2, 3.1.1).
// Selecting the applet that is selected already changes nothing, a failed
// SELECT neither; selecting another one ends what was verified.
func (c *Card) selectApplet(cmd command) ([]byte, status) {
	c.session.endAdjacency()
	if cmd.p1 != 0x04 || cmd.p2 != 0x00 {
		return nil, swWrongP1P2
	}
	for _, a := range applets {
		if len(cmd.data) < a.shortest || !bytes.HasPrefix(a.aid, cmd.data) {
			continue
		}
		if c.session.applet != a.applet {
			c.session = session{applet: a.applet, touched: c.session.touched}
		}
		switch a.applet {
		case managementApplet:
			return c.managementGreeting(), swOK
		case otpApplet:
			return c.otpStatus(), swOK
		}
		return pivProperties(), swOK
	}
	return nil, swNotFound
}

// pivProperties is the application property template in the short form that
// YubiKeys give: the PIX with the version, and the RID of the tag allocation
// authority.
func pivProperties() []byte {
	pix := []byte{0x00, 0x00, 0x10, 0x00, 0x01, 0x00}
	rid := []byte{0xa0, 0x00, 0x00, 0x03, 0x08}
	template := appendTLV(nil, 0x4f, pix)
	template = appendTLV(template, 0x79, appendTLV(nil, 0x4f, rid))
	return appendTLV(nil, 0x61, template)
}
