package piv

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// Slot is a key reference (SP 800-73-4 part 1, table 4b).
type Slot byte

// The slots of a PIV card. The twenty retired key management slots run from
// SlotRetiredFirst to SlotRetiredLast.
const (
	SlotAuthentication     Slot = 0x9A
	SlotSignature          Slot = 0x9C
	SlotKeyManagement      Slot = 0x9D
	SlotCardAuthentication Slot = 0x9E
	SlotRetiredFirst       Slot = 0x82
	SlotRetiredLast        Slot = 0x95
)

// Slots returns all slots in the order in which they are shown.
func Slots() []Slot {
	slots := []Slot{SlotAuthentication, SlotSignature, SlotKeyManagement, SlotCardAuthentication}
	for slot := SlotRetiredFirst; slot <= SlotRetiredLast; slot++ {
		slots = append(slots, slot)
	}
	return slots
}

// ParseSlot reads "9d", "9D" or "0x9d". Slots that PIV does not have are an
// error.
func ParseSlot(text string) (Slot, error) {
	digits := strings.ToLower(text)
	digits = strings.TrimPrefix(digits, "0x")
	n, err := strconv.ParseUint(digits, 16, 8)
	if err != nil || len(digits) != 2 || !Slot(n).Valid() {
		return 0, fmt.Errorf("%q is not a slot: there are 9a, 9c, 9d, 9e and 82 to 95", text)
	}
	return Slot(n), nil
}

// Valid reports whether PIV has the slot.
func (s Slot) Valid() bool {
	switch s {
	case SlotAuthentication, SlotSignature, SlotKeyManagement, SlotCardAuthentication:
		return true
	}
	return s.Retired()
}

// Retired reports whether it is one of the twenty retired key management slots.
func (s Slot) Retired() bool { return s >= SlotRetiredFirst && s <= SlotRetiredLast }

// String returns two lower-case hexadecimal digits, such as "9d".
func (s Slot) String() string { return fmt.Sprintf("%02x", byte(s)) }

// Name says what the slot is for.
func (s Slot) Name() string {
	switch s {
	case SlotAuthentication:
		return "authentication"
	case SlotSignature:
		return "digital signature"
	case SlotKeyManagement:
		return "key management"
	case SlotCardAuthentication:
		return "card authentication"
	}
	if s.Retired() {
		return fmt.Sprintf("retired key management %d", s-SlotRetiredFirst+1)
	}
	return "unknown"
}

// MarshalText returns String, for JSON.
func (s Slot) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what ParseSlot reads.
func (s *Slot) UnmarshalText(text []byte) error {
	slot, err := ParseSlot(string(text))
	if err == nil {
		*s = slot
	}
	return err
}

// object returns the tag of the slot's certificate object (SP 800-73-4 part 1,
// table 3).
func (s Slot) object() pcsc.Object {
	switch s {
	case SlotAuthentication:
		return 0x5FC105
	case SlotSignature:
		return 0x5FC10A
	case SlotKeyManagement:
		return 0x5FC10B
	case SlotCardAuthentication:
		return 0x5FC101
	}
	return 0x5FC10D + pcsc.Object(s-SlotRetiredFirst)
}

// defaultPINPolicy is what a YubiKey does in the slot when no policy is asked
// for (Yubico PIV extensions, GENERATE).
func (s Slot) defaultPINPolicy() PINPolicy {
	switch s {
	case SlotSignature:
		return PINAlways
	case SlotCardAuthentication:
		return PINNever
	}
	return PINOnce
}
