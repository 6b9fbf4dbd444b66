package yubikey

import (
	"encoding/hex"
	"fmt"
	"slices"
)

// objectID is the tag of a data object, for example 5FC105 (SP 800-73-4 Part 1,
// section 4.3).
type objectID uint32

const (
	objectDiscovery    objectID = 0x7e
	objectBiometric    objectID = 0x7f61 // biometric information templates group
	objectFingerprints objectID = 0x5fc103
	objectFacialImage  objectID = 0x5fc108
	objectPrinted      objectID = 0x5fc109
	objectIris         objectID = 0x5fc121
	objectAttestation  objectID = 0x5fff01 // Yubico's, the certificate of slot f9

	tagList = 0x5c
	tagData = 0x53
)

const (
	// maxObject is the most bytes that a data object holds: a certificate of
	// 3,052 bytes with the TLVs around it.
	maxObject = 3061
	// maxObjects is the most bytes that all data objects hold together.
	maxObjects = 51_000
)

// MarshalText writes the tag as hexadecimal digits, for the state file.
func (id objectID) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%02x", uint32(id)), nil }

// UnmarshalText reads hexadecimal digits.
func (id *objectID) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil {
		return fmt.Errorf("tag of a data object: %w", err)
	}
	parsed, ok := parseObjectID(raw)
	if !ok {
		return fmt.Errorf("no data object has the tag %q", text)
	}
	*id = parsed
	return nil
}

// parseObjectID reads the tags that a YubiKey has objects for: discovery,
// biometric group, and all of 5F0000 to 5FFFFF.
func parseObjectID(raw []byte) (objectID, bool) {
	if len(raw) > 3 {
		return 0, false
	}
	var id objectID
	for _, b := range raw {
		id = id<<8 | objectID(b)
	}
	known := id == objectDiscovery && len(raw) == 1 ||
		id == objectBiometric && len(raw) == 2 ||
		id>>16 == 0x5f
	return id, known
}

// needsPIN reports whether reading the object wants the PIN verified
// (SP 800-73-4 Part 1, table 2).
func (id objectID) needsPIN() bool {
	switch id {
	case objectFingerprints, objectFacialImage, objectPrinted, objectIris:
		return true
	}
	return false
}

// wrapper is the tag around the object's value: 53, or its own for the two
// objects that the standard defines so.
func (id objectID) wrapper() uint32 {
	if id == objectDiscovery || id == objectBiometric {
		return uint32(id)
	}
	return tagData
}

// getData reads a data object (SP 800-73-4 Part 2, 3.1.2).
func (c *Card) getData(cmd command) ([]byte, status) {
	if cmd.p1 != 0x3f || cmd.p2 != 0xff {
		return nil, swWrongP1P2
	}
	list, rest, ok := nextTLV(cmd.data)
	if !ok || list.tag != tagList || len(rest) > 0 {
		return nil, swWrongData
	}
	id, known := parseObjectID(list.value)
	if !known {
		return nil, swNotFound
	}
	if id.needsPIN() && !c.session.pinVerified {
		return nil, swSecurityStatus
	}
	value, stored := c.state.Objects[id]
	if !stored && id == objectDiscovery {
		value, stored = discovery(), true
	}
	if !stored {
		return nil, swNotFound
	}
	return appendTLV(nil, id.wrapper(), value), swOK
}

// discovery is the value of the discovery object (SP 800-73-4 Part 1, 3.3.2):
// the applet's identifier, and a PIN usage policy of the PIV PIN alone.
func discovery() []byte {
	aid := []byte{0xa0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00}
	value := appendTLV(nil, 0x4f, aid)
	return appendTLV(value, 0x5f2f, []byte{0x40, 0x00})
}

// putData writes a data object, or deletes it when the value is empty
// (SP 800-73-4 Part 2, 3.3.2). It wants the management key.
func (c *Card) putData(cmd command) status {
	if cmd.p1 != 0x3f || cmd.p2 != 0xff {
		return swWrongP1P2
	}
	if !c.session.managed {
		return swSecurityStatus
	}
	id, value, ok := parsePut(cmd.data)
	if !ok {
		return swWrongData
	}
	if len(value) == 0 {
		delete(c.state.Objects, id)
		c.dirty = true
		return swOK
	}
	if c.full || len(value) > maxObject || c.objectBytes()-len(c.state.Objects[id])+len(value) > maxObjects {
		return swFull
	}
	c.state.Objects[id] = slices.Clone(value)
	c.dirty = true
	return swOK
}

// parsePut reads the data field of PUT DATA: a tag list and the object, or the
// discovery object or biometric group bare.
func parsePut(data []byte) (objectID, []byte, bool) {
	fields, ok := parseTLVs(data)
	if !ok {
		return 0, nil, false
	}
	if len(fields) == 1 {
		id := objectID(fields[0].tag)
		return id, fields[0].value, id == objectDiscovery || id == objectBiometric
	}
	if len(fields) != 2 || fields[0].tag != tagList {
		return 0, nil, false
	}
	id, known := parseObjectID(fields[0].value)
	return id, fields[1].value, known && fields[1].tag == id.wrapper()
}

func (c *Card) objectBytes() int {
	total := 0
	for _, value := range c.state.Objects {
		total += len(value)
	}
	return total
}
