package piv

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// History is what is in the retired key management slots, and what the card says of
// them.
type History struct {
	// Slots are all twenty, in order.
	Slots []SlotContents
	// Said is what the Key History object says; nil where there is none, or SaidErr says
	// why it cannot be read.
	Said    *KeyHistory
	SaidErr error
}

// History reads the retired slots one by one, because many programs do not keep the Key
// History object, and that object.
func (c *Card) History(ctx context.Context) (History, error) {
	return reading(ctx, c, "reading the retired keys", readHistory)
}

func readHistory(c *connection) (history History, err error) {
	for slot := SlotRetiredFirst; slot <= SlotRetiredLast; slot++ {
		contents, err := readSlot(c, slot)
		if err != nil {
			return History{}, fmt.Errorf("slot %s: %w", slot, err)
		}
		history.Slots = append(history.Slots, contents)
	}
	history.Said, err = readKeyHistory(c)
	var damaged *keyHistoryError
	if errors.As(err, &damaged) {
		history.SaidErr, err = err, nil
	}
	return history, err
}

// Free lists the slots that show nothing: those that are empty, and before firmware 5.3 those of which
// nothing is known.
func (h History) Free() []Slot {
	var free []Slot
	for _, slot := range h.Slots {
		if slot.Key == nil && slot.Certificate == nil && slot.CertificateErr == nil {
			free = append(free, slot.Slot)
		}
	}
	return free
}

// Unknown counts the slots of which nothing is known.
func (h History) Unknown() (unknown int) {
	for _, slot := range h.Slots {
		if slot.Unknown() {
			unknown++
		}
	}
	return unknown
}

// Real is what the Key History object has to say: it counts the certificates that are in
// the slots, and the keys without one. Firmware before 5.3 does not tell of such keys, so
// that the object's own word for them stays.
func (h History) Real() KeyHistory {
	var real KeyHistory
	unknown := false
	for _, slot := range h.Slots {
		switch {
		case slot.Certificate != nil || slot.CertificateErr != nil:
			real.OnCard++
		case slot.Key != nil:
			real.OffCard++
		case slot.KeyUnknown:
			unknown = true
		}
	}
	if h.Said != nil {
		real.URL = h.Said.URL
		if unknown {
			real.OffCard = min(h.Said.OffCard, retiredSlots-real.OnCard)
		}
	}
	return real
}

// Problem is a *HistoryError where the Key History object is wrong about what is in the
// slots, missing or unreadable; nil where it is right.
func (h History) Problem() error {
	real := h.Real()
	switch {
	case h.SaidErr != nil, h.Said == nil && real != (KeyHistory{}), h.Said != nil && *h.Said != real:
		return &HistoryError{Said: h.Said, Real: real, Err: h.SaidErr}
	}
	return nil
}

// HistoryError is returned for a Key History object that does not say what is in the
// retired slots.
type HistoryError struct {
	Said *KeyHistory // nil where there is none that can be read
	Real KeyHistory
	Err  error // why it cannot be read; nil where it can
}

// Error says both sides.
func (e *HistoryError) Error() string {
	says := "the Key History object is missing"
	switch {
	case e.Err != nil:
		says = e.Err.Error()
	case e.Said != nil:
		says = fmt.Sprintf("the Key History object counts %d retired keys with a certificate on the card and %d without", e.Said.OnCard, e.Said.OffCard)
	}
	return fmt.Sprintf("%s: there are %d with and %d without", says, e.Real.OnCard, e.Real.OffCard)
}

// Unwrap returns why the object cannot be read.
func (e *HistoryError) Unwrap() error { return e.Err }

// WriteKeyHistory has the Key History object say what is in the retired slots, reads it
// back and compares. It changes nothing where it says so already.
//
// Errors: ErrManagementKey, ErrCardFull.
func (c *Card) WriteKeyHistory(ctx context.Context, managementKey secret.Secret) error {
	return c.do(ctx, "writing the Key History object", func(connection *connection) error {
		history, err := readHistory(connection)
		if err != nil || history.Problem() == nil {
			return err
		}
		if err := connection.authenticate(managementKey); err != nil {
			return err
		}
		return connection.put(pcsc.ObjectKeyHistory, history.Real().encode())
	})
}

// MoveKey moves a private key from one slot to another, which holds none, and looks that
// it is there. Origin and policies go with it; certificates stay where they are.
//
// Errors: ErrCannotMove before firmware 5.7, ErrEmptySlot, ErrSlotOccupied,
// ErrManagementKey.
func (c *Card) MoveKey(ctx context.Context, managementKey secret.Secret, from, to Slot) error {
	if !from.Valid() || !to.Valid() || from == to {
		return fmt.Errorf("a key cannot be moved from slot %s to slot %s", from, to)
	}
	if !c.Identity().Firmware.MovesKeys() {
		return ErrCannotMove
	}
	return c.do(ctx, fmt.Sprintf("moving the key in slot %s to slot %s", from, to), func(connection *connection) error {
		key, err := readKey(connection, from)
		if err != nil {
			return err
		}
		there, err := readKey(connection, to)
		switch {
		case err != nil:
			return err
		case key == nil:
			return ErrEmptySlot
		case there != nil:
			return fmt.Errorf("%w: %s", ErrSlotOccupied, to)
		}
		if err := connection.authenticate(managementKey); err != nil {
			return err
		}
		connection.forget(from)
		connection.forget(to)
		if err := connection.MoveKey(byte(from), byte(to)); err != nil {
			return err
		}
		moved, err := readKey(connection, to)
		if err != nil {
			return err
		}
		if moved == nil || (SlotContents{Key: moved, Slot: to}).holdsOther(key.PublicKey) {
			return fmt.Errorf("%w: it is not in slot %s after the move", ErrKeyMismatch, to)
		}
		return nil
	})
}
