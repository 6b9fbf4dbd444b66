package yubikey

import (
	"bytes"
	"slices"
)

const (
	referencePIN = 0x80
	referencePUK = 0x81

	referenceLength = 8 // PIN and PUK are padded with FF to eight bytes
	shortestPIN     = 6
	padding         = 0xff

	factoryPIN   = "123456"
	factoryPUK   = "12345678"
	factoryTries = 3
)

// reference is a PIN or PUK with its retry counter.
type reference struct {
	Value []byte `json:"value"` // padded to eight bytes
	Tries int    `json:"tries"`
	Max   int    `json:"max"`
}

func factoryReference(value string, tries int) reference {
	return reference{Value: padReference(value), Tries: tries, Max: tries}
}

func padReference(value string) []byte {
	padded := bytes.Repeat([]byte{padding}, referenceLength)
	copy(padded, value)
	return padded
}

// trimPadding takes the padding off again.
func trimPadding(value []byte) []byte {
	for len(value) > 0 && value[len(value)-1] == padding {
		value = value[:len(value)-1]
	}
	return value
}

// check compares a value given with the reference and counts. A wrong value
// takes a try; a blocked reference is not compared any more (SP 800-73-4
// Part 2, 3.2.1).
func (c *Card) check(ref *reference, value []byte) status {
	if ref.Tries == 0 {
		return swBlocked
	}
	if !bytes.Equal(ref.Value, value) {
		ref.Tries--
		c.dirty = true
		return triesLeft(ref.Tries)
	}
	if ref.Tries != ref.Max {
		ref.Tries = ref.Max
		c.dirty = true
	}
	return swOK
}

// verify checks the PIN, tells whether it is verified, or forgets that it was
// (SP 800-73-4 Part 2, 3.2.1).
func (c *Card) verify(cmd command) status {
	switch {
	case cmd.p1 != 0x00 && cmd.p1 != 0xff:
		return swWrongP1P2
	case cmd.p2 != referencePIN:
		return swReferenceNotFound
	case cmd.p1 == 0xff && len(cmd.data) > 0:
		return swWrongData
	case cmd.p1 == 0xff:
		c.session.pinVerified = false
		return swOK
	case len(cmd.data) == 0 && c.session.pinVerified:
		return swOK
	case len(cmd.data) == 0 && c.state.PIN.Tries == 0:
		return swBlocked
	case len(cmd.data) == 0:
		return triesLeft(c.state.PIN.Tries)
	case len(cmd.data) != referenceLength:
		return swWrongLength
	}
	sw := c.check(&c.state.PIN, cmd.data)
	c.session.pinVerified = sw == swOK
	c.session.pinFresh = sw == swOK
	return sw
}

// changeReference gives PIN or PUK a new value for the old one (SP 800-73-4
// Part 2, 3.2.2).
func (c *Card) changeReference(cmd command) status {
	if cmd.p1 != 0 {
		return swWrongP1P2
	}
	ref := &c.state.PIN
	switch cmd.p2 {
	case referencePIN:
	case referencePUK:
		ref = &c.state.PUK
	default:
		return swReferenceNotFound
	}
	if len(cmd.data) != 2*referenceLength {
		return swWrongLength
	}
	old, value := cmd.data[:referenceLength], cmd.data[referenceLength:]
	sw := c.check(ref, old)
	if sw == swOK {
		sw = c.setReference(ref, value, cmd.p2 == referencePUK)
	}
	if cmd.p2 == referencePIN {
		c.session.pinVerified = sw == swOK
	}
	return sw
}

// resetRetryCounter gives the PIN a new value for the PUK (SP 800-73-4 Part 2,
// 3.2.3).
func (c *Card) resetRetryCounter(cmd command) status {
	switch {
	case cmd.p1 != 0:
		return swWrongP1P2
	case cmd.p2 != referencePIN:
		return swReferenceNotFound
	case len(cmd.data) != 2*referenceLength:
		return swWrongLength
	}
	puk, value := cmd.data[:referenceLength], cmd.data[referenceLength:]
	if sw := c.check(&c.state.PUK, puk); sw != swOK {
		return sw
	}
	return c.setReference(&c.state.PIN, value, false)
}

// setReference stores a new PIN or PUK with all its tries, if the card allows
// the value.
func (c *Card) setReference(ref *reference, value []byte, isPUK bool) status {
	digits := trimPadding(value)
	switch {
	case len(digits) < shortestPIN:
		return swWrongData
	case isPUK && c.profile.can(ASCIIPUK) && slices.Max(digits) > 0x7f:
		return swWrongData
	case c.state.PINComplexity && trivial(digits):
		return swConditions
	}
	ref.Value = slices.Clone(value)
	ref.Tries = ref.Max
	c.dirty = true
	return swOK
}

// trivial reports whether PIN complexity refuses the value: one character
// throughout, or a run up or down such as 123456 and 987654.
func trivial(digits []byte) bool {
	for _, step := range []int{0, 1, -1} {
		run := true
		for i := 1; i < len(digits); i++ {
			run = run && int(digits[i]) == int(digits[i-1])+step
		}
		if run {
			return true
		}
	}
	return false
}

// setPINRetries sets how many tries PIN (P1) and PUK (P2) have, and with that
// brings both back to their factory values. It wants the management key and the
// PIN.
func (c *Card) setPINRetries(cmd command) status {
	if !c.session.managed || !c.session.pinVerified {
		return swSecurityStatus
	}
	if cmd.p1 == 0 || cmd.p2 == 0 {
		return swWrongParameters
	}
	c.state.PIN = factoryReference(factoryPIN, int(cmd.p1))
	c.state.PUK = factoryReference(factoryPUK, int(cmd.p2))
	c.session.pinVerified = false
	c.dirty = true
	return swOK
}
