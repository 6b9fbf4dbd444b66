package pcsc

import "fmt"

// Status is a status word that is not success (ISO/IEC 7816-4 §5.6). It is an
// error and has the method Status, as piv-go's errors do.
type Status uint16

// The status words that PIV cards answer with (SP 800-73-4 part 2, §5.6).
const (
	success              Status = 0x9000
	moreData             Status = 0x6100
	moreIfAsked          Status = 0x6C00
	WrongLength          Status = 0x6700
	SecurityNotSatisfied Status = 0x6982
	ReferenceBlocked     Status = 0x6983
	ConditionsNotMet     Status = 0x6985
	WrongData            Status = 0x6A80
	NotSupported         Status = 0x6A81
	NotFound             Status = 0x6A82
	CardFull             Status = 0x6A84
	WrongParameters      Status = 0x6A86
	ReferenceNotFound    Status = 0x6A88
	UnknownInstruction   Status = 0x6D00
	UnknownClass         Status = 0x6E00
)

// Status returns the two bytes SW1 SW2 as one number.
func (s Status) Status() uint16 { return uint16(s) }

// Tries returns how often a PIN, PUK or key may still be tried where the status
// word says so: 63Cx, 6983 for none, and 630x of old YubiKeys.
func (s Status) Tries() (int, bool) {
	switch {
	case s == ReferenceBlocked:
		return 0, true
	case s&0xFFF0 == 0x63C0, s&0xFFF0 == 0x6300:
		return int(s & 0xF), true
	}
	return 0, false
}

// Error says what the card answered.
func (s Status) Error() string {
	if text := s.text(); text != "" {
		return fmt.Sprintf("the card answered %04X, %s", uint16(s), text)
	}
	return fmt.Sprintf("the card answered %04X", uint16(s))
}

func (s Status) text() string {
	if tries, ok := s.Tries(); ok && tries > 0 {
		return "verification failed"
	}
	switch s {
	case WrongLength:
		return "wrong length"
	case SecurityNotSatisfied:
		return "not authorised"
	case ReferenceBlocked:
		return "blocked"
	case ConditionsNotMet:
		return "conditions not met"
	case WrongData:
		return "wrong data"
	case NotSupported:
		return "not supported"
	case NotFound, ReferenceNotFound:
		return "not found"
	case CardFull:
		return "no room"
	case WrongParameters:
		return "wrong parameters"
	case UnknownInstruction:
		return "unknown command"
	case UnknownClass:
		return "unknown class"
	}
	return ""
}
