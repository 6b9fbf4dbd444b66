package piv

import (
	"context"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// Tri is a fact that may be unknown.
type Tri int8

// The values of a Tri.
const (
	Unknown Tri = iota
	No
	Yes
)

// String returns "unknown", "no" or "yes".
func (t Tri) String() string {
	switch t {
	case No:
		return "no"
	case Yes:
		return "yes"
	}
	return "unknown"
}

// MarshalText returns String, for JSON.
func (t Tri) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what String returns.
func (t *Tri) UnmarshalText(text []byte) error {
	for _, known := range []Tri{Unknown, No, Yes} {
		if known.String() == string(text) {
			*t = known
			return nil
		}
	}
	return fmt.Errorf("%q is none of yes, no and unknown", text)
}

// UnknownTries stands for a counter that the card does not tell.
const UnknownTries = -1

// Counter is what protects a PIN or PUK from being guessed.
type Counter struct {
	Tries   int // left, 0 when blocked; UnknownTries
	Max     int // after a success; UnknownTries
	Factory Tri // whether it is the factory value
}

// ManagementKey is what is known of a card's management key.
type ManagementKey struct {
	Algorithm string // "3des", "aes128", "aes192" or "aes256"
	Factory   Tri    // whether it is the factory value
}

// Protection is how a card is protected.
type Protection struct {
	PIN, PUK      Counter
	ManagementKey ManagementKey
}

// Status is everything that can be seen on a card without a PIN.
type Status struct {
	Protection
	Slots []SlotContents // all but those that are known to be empty
}

// Protection reads the counters, and whether factory values are set (from
// firmware 5.3).
func (c *Card) Protection(ctx context.Context) (Protection, error) {
	return reading(ctx, c, "reading the card's protection", readProtection)
}

// Status reads the protection and every slot. It goes on where it was when the
// contact breaks: a card has many slots.
func (c *Card) Status(ctx context.Context) (Status, error) {
	protection, err := c.Protection(ctx)
	if err != nil {
		return Status{}, err
	}
	status := Status{Protection: protection}
	for left := Slots(); len(left) > 0; {
		seen, err := reading(ctx, c, "reading the card's slots", func(connection *connection) ([]SlotContents, error) {
			return readSlots(ctx, connection, left)
		})
		if err != nil {
			return Status{}, err
		}
		for _, contents := range seen {
			if !contents.Empty() {
				status.Slots = append(status.Slots, contents)
			}
		}
		left = left[len(seen):]
	}
	return status, nil
}

// readSlots reads slots until one cannot be read; it is an error when that is
// the first.
func readSlots(ctx context.Context, c *connection, slots []Slot) ([]SlotContents, error) {
	var seen []SlotContents
	for _, slot := range slots {
		contents, err := readSlot(c, slot)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil && len(seen) > 0 {
			return seen, nil
		}
		if err != nil {
			return nil, err
		}
		seen = append(seen, contents)
	}
	return seen, nil
}

func readProtection(c *connection) (p Protection, err error) {
	if !c.firmware.hasMetadata() {
		return readOldProtection(c)
	}
	if p.PIN, err = readCounter(c, pcsc.ReferencePIN); err != nil {
		return Protection{}, err
	}
	if p.PUK, err = readCounter(c, pcsc.ReferencePUK); err != nil {
		return Protection{}, err
	}
	metadata, err := c.Metadata(pcsc.ReferenceManagementKey)
	if err != nil {
		return Protection{}, err
	}
	p.ManagementKey = ManagementKey{pcsc.KeyAlgorithm(metadata.Algorithm).String(), factory(metadata)}
	return p, nil
}

// readOldProtection reads what firmware before 5.3 tells: the PIN's counter,
// while the PIN is not verified. Its management keys are 3DES.
func readOldProtection(c *connection) (Protection, error) {
	unknown := Counter{Tries: UnknownTries, Max: UnknownTries}
	p := Protection{PIN: unknown, PUK: unknown, ManagementKey: ManagementKey{Algorithm: pcsc.TripleDES.String()}}
	tries, verified, err := c.Tries()
	if err == nil && !verified {
		p.PIN.Tries = tries
	}
	return p, err
}

func readCounter(c *connection, reference byte) (Counter, error) {
	metadata, err := c.Metadata(reference)
	if err != nil {
		return Counter{}, err
	}
	counter := Counter{Tries: UnknownTries, Max: UnknownTries, Factory: factory(metadata)}
	if metadata.HasRetries {
		counter.Tries, counter.Max = metadata.Remaining, metadata.Retries
	}
	return counter, nil
}

func factory(metadata pcsc.Metadata) Tri {
	switch {
	case !metadata.HasDefault:
		return Unknown
	case metadata.Default != 0:
		return Yes
	}
	return No
}
