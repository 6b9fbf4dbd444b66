package yubikey

import (
	"crypto"
	"slices"
)

// Snapshot is what a card holds at a moment, secrets included. Tests look at it
// to see that nothing was lost or burnt; no real card shows as much.
type Snapshot struct {
	Serial        uint32
	Firmware      Version
	FormFactor    byte
	PIN, PUK      ReferenceSnapshot
	ManagementKey ManagementKeySnapshot
	// Slots holds the key pairs by key reference: 9a, 9c, 9d, 9e, 82 to 95, f9.
	Slots map[byte]SlotSnapshot
	// Objects holds the values of the data objects, without tag 53, by tag.
	Objects map[uint32][]byte
	// Touches counts how often the card has waited for a finger.
	Touches int
}

// ReferenceSnapshot is a PIN or PUK.
type ReferenceSnapshot struct {
	Value      string // without padding
	Tries, Max int
	Default    bool // the factory value
}

// ManagementKeySnapshot is the management key.
type ManagementKeySnapshot struct {
	Algorithm string // "3des", "aes128", "aes192", "aes256"
	Value     []byte
	Touch     string // "never", "always", "cached"
	Default   bool   // the factory value
}

// SlotSnapshot is a key pair.
type SlotSnapshot struct {
	Algorithm   string // "rsa2048", "eccp256", "ed25519", …
	Origin      string // "generated", "imported"
	PINPolicy   string // "never", "once", "always"
	TouchPolicy string // "never", "always", "cached"
	PublicKey   crypto.PublicKey
}

// Snapshot returns a copy of what the card holds.
func (c *Card) Snapshot() Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Snapshot{
		Serial: c.state.Serial, Firmware: c.state.Firmware, FormFactor: c.state.FormFactor,
		PIN: c.state.PIN.snapshot(factoryPIN),
		PUK: c.state.PUK.snapshot(factoryPUK),
		ManagementKey: ManagementKeySnapshot{
			Algorithm: c.state.ManagementKey.Algorithm.String(),
			Value:     slices.Clone(c.state.ManagementKey.Value),
			Touch:     touchName(c.state.ManagementKey.TouchPolicy),
			Default:   c.state.ManagementKey.isFactory(),
		},
		Slots:   map[byte]SlotSnapshot{},
		Objects: map[uint32][]byte{},
		Touches: c.touches,
	}
	for slot, held := range c.state.Slots {
		s.Slots[byte(slot)] = held.snapshot()
	}
	for id, value := range c.state.Objects {
		s.Objects[uint32(id)] = slices.Clone(value)
	}
	return s
}

// PutObject replaces the contents of a data object, without tag 53, as another program
// with the management key would.
func (c *Card) PutObject(tag uint32, contents []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Objects[objectID(tag)] = slices.Clone(contents)
}

func (r reference) snapshot(factory string) ReferenceSnapshot {
	return ReferenceSnapshot{
		Value: string(trimPadding(r.Value)),
		Tries: r.Tries, Max: r.Max, Default: r.is(factory),
	}
}

func (s *slotState) snapshot() SlotSnapshot {
	origin := "generated"
	if s.Origin == originImported {
		origin = "imported"
	}
	return SlotSnapshot{
		Algorithm: s.Algorithm.String(), Origin: origin,
		PINPolicy: pinName(s.PINPolicy), TouchPolicy: touchName(s.TouchPolicy),
		PublicKey: publicOf(s.private),
	}
}

func pinName(policy byte) string {
	switch policy {
	case pinNever:
		return "never"
	case pinOnce:
		return "once"
	}
	return "always"
}

func touchName(policy byte) string {
	switch policy {
	case touchNever:
		return "never"
	case touchCached:
		return "cached"
	}
	return "always"
}
