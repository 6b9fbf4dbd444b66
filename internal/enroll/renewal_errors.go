package enroll

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// ErrNotRenewed is returned for an issuer's answer that is the certificate that is to be
// renewed.
var ErrNotRenewed = errors.New("the issuer answered with the certificate that is to be renewed")

// NotEnrolledError is returned where there is nothing to renew: the user is not enrolled
// with the card.
type NotEnrolledError struct {
	Email  string
	Serial uint32
	Begun  bool      // an enrollment was begun and is not finished
	Slot   *piv.Slot // that holds no key of the user's any more; nil where nothing is known of one
	// MovedTo is the retired slot that holds the key, which a renewal moved there that another
	// computer began; nil for none.
	MovedTo *piv.Slot
	With    []string // the cards that the user is enrolled with, such as "card 12345678"; none where that is not known
}

// Error says what is there instead.
func (e *NotEnrolledError) Error() string {
	switch {
	case e.Begun:
		return fmt.Sprintf("the enrollment of %s with card %d is not finished: there is nothing to renew yet", e.Email, e.Serial)
	case len(e.With) > 0:
		return fmt.Sprintf("%s is enrolled with %s, not with card %d: there is nothing to renew on it", e.Email, strings.Join(e.With, " and "), e.Serial)
	case e.MovedTo != nil:
		return fmt.Sprintf("a renewal of %s with card %d was begun elsewhere: the key that Gmail uses is in slot %s, and slot %s holds another", e.Email, e.Serial, *e.MovedTo, *e.Slot)
	case e.Slot != nil:
		return fmt.Sprintf("%s was enrolled with card %d, and slot %s does not hold that key any more", e.Email, e.Serial, *e.Slot)
	}
	return fmt.Sprintf("%s is not enrolled with card %d: there is nothing to renew", e.Email, e.Serial)
}

// NotDueError is returned for certificates that are valid for longer than a renewal is
// asked for. Nothing was changed, and nothing is wrong.
type NotDueError struct {
	Email    string
	NotAfter time.Time     // of the one that ends first
	Within   time.Duration // how long before its end one is to be renewed
}

// Error says until when they are valid.
func (e *NotDueError) Error() string {
	return fmt.Sprintf("the certificate of %s is valid until %s, for more than %d days: it is not renewed yet",
		e.Email, format.Day(e.NotAfter), int(e.Within.Hours()/24))
}

// RenewalBegunError is returned for a renewal of another kind than the one that was begun.
type RenewalBegunError struct {
	Email  string
	Serial uint32
	Begun  Renewal
}

// Error says which was begun.
func (e *RenewalBegunError) Error() string {
	what := "a new key"
	if e.Begun == RenewSameKey {
		what = "the same key"
	}
	return fmt.Sprintf("the renewal of %s with card %d was begun with %s, and the other is asked for", e.Email, e.Serial, what)
}

// RetiredSlotsError is returned for a card with too few free retired slots for the old keys, or for
// copies of old keys. Nothing was changed.
type RetiredSlotsError struct {
	Serial       uint32
	Free, Needed int  // slots
	Copies       bool // of old keys need them
}

// Error says how many are free.
func (e *RetiredSlotsError) Error() string {
	if e.Copies {
		return fmt.Sprintf("copies of old keys that need a retired slot of card %d each: %d; free ones of its 20: %d", e.Serial, e.Needed, e.Free)
	}
	if e.Free == 0 {
		return fmt.Sprintf("all 20 retired slots of card %d are in use: the old key has nowhere to go", e.Serial)
	}
	return fmt.Sprintf("of the 20 retired slots of card %d only %d is free, and %d old keys need one", e.Serial, e.Free, e.Needed)
}

// CannotKeepKeyError is returned for a key that a new one would overwrite, because the
// card cannot move it. Nothing was changed.
type CannotKeepKeyError struct {
	Slot     piv.Slot
	Firmware piv.Version
	Contents string
	Serial   uint32
}

// Error says what would be lost.
func (e *CannotKeepKeyError) Error() string {
	return fmt.Sprintf("firmware %s cannot move the old key to a retired slot: a new key would take the place of %s in slot %s of card %d, and what was encrypted to it could no longer be read with this card",
		e.Firmware, e.Contents, e.Slot, e.Serial)
}
