package yubikey

import (
	"crypto"
	"fmt"
	"slices"
)

// Contents is what an issuer puts on a card before handing it out.
type Contents struct {
	// PIN, PUK and ManagementKey take the factory ones' place; the key is for the
	// algorithm that the firmware has at first, 24 bytes.
	PIN, PUK      string
	ManagementKey []byte
	// Keys are imported, with the policies of their slots, by key reference.
	Keys map[byte]crypto.PrivateKey
	// Objects are the contents of data objects, without tag 53, by tag.
	Objects map[uint32][]byte
}

// issue puts the contents on a new card, within its limits.
func (c *Card) issue(contents Contents) error {
	for reference, private := range contents.Keys {
		slot := slotID(reference)
		if !slot.forUser() {
			return fmt.Errorf("%v is no slot for a key", slot)
		}
		held, err := newSlotState(private, originImported, defaultPolicies(slot))
		if err != nil {
			return fmt.Errorf("slot %v: %w", slot, err)
		}
		if !c.profile.supports(held.Algorithm) {
			return fmt.Errorf("slot %v: firmware %v takes no %v key", slot, c.state.Firmware, held.Algorithm)
		}
		c.state.Slots[slot] = held
	}
	for tag, value := range contents.Objects {
		if len(value) > maxObject {
			return fmt.Errorf("data object %06X: %d bytes, where %d fit", tag, len(value), maxObject)
		}
		c.state.Objects[objectID(tag)] = slices.Clone(value)
	}
	if total := c.objectBytes(); total > maxObjects {
		return fmt.Errorf("the data objects have %d bytes, where %d fit", total, maxObjects)
	}
	for _, value := range []string{contents.PIN, contents.PUK} {
		if len(value) < shortestPIN || len(value) > referenceLength {
			return fmt.Errorf("a PIN or PUK has %d to %d characters, not %d", shortestPIN, referenceLength, len(value))
		}
	}
	if want := len(c.state.ManagementKey.Value); len(contents.ManagementKey) != want {
		return fmt.Errorf("the management key has %d bytes, not %d", want, len(contents.ManagementKey))
	}
	c.state.PIN = factoryReference(contents.PIN, factoryTries)
	c.state.PUK = factoryReference(contents.PUK, factoryTries)
	c.state.ManagementKey.Value = slices.Clone(contents.ManagementKey)
	return nil
}
