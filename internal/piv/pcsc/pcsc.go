// Package pcsc reaches smart cards through the system's PC/SC service: pcscd on
// Linux, CryptoTokenKit's PCSC framework on macOS, the Smart Card service on
// Windows. Above the calls themselves it holds the PIV commands that the
// product sends by itself: what a card is, its metadata and its data objects.
//
// The calls mirror winscard.h. They block; those that can be long take a limit
// or can be cancelled, and a caller under a context runs them in a goroutine.
package pcsc

// ShareMode says whether others may connect to the card at the same time.
type ShareMode uint32

// The share modes of SCardConnect.
const (
	Exclusive ShareMode = 1
	Shared    ShareMode = 2
)

// Disposition says what becomes of the card on disconnecting.
type Disposition uint32

// The dispositions of SCardDisconnect and SCardEndTransaction. A reset makes
// the card forget verified PINs and authenticated management keys.
const (
	LeaveCard Disposition = 0
	ResetIt   Disposition = 1
)

// State is the low half of a reader's state as SCardGetStatusChange reports it.
type State uint16

// The bits of a State.
const (
	StateChanged     State = 0x0002
	StateUnknown     State = 0x0004
	StateUnavailable State = 0x0008
	StateEmpty       State = 0x0010
	StatePresent     State = 0x0020
	StateExclusive   State = 0x0080
	StateInUse       State = 0x0100
	StateMute        State = 0x0200
)

// ReaderState is what is known of a reader and of the card in it.
type ReaderState struct {
	Reader string
	State  State
	// Events counts insertions and removals; it wraps. Two equal counts mean
	// that the card was not taken out in between.
	Events uint16
	ATR    []byte // answer to reset of the card that is present, at most 33 bytes
}

// Present reports whether a card is in the reader.
func (s ReaderState) Present() bool { return s.State&StatePresent != 0 }

func (s ReaderState) raw() uint32 {
	return uint32(s.Events)<<16 | uint32(s.State&^StateChanged)
}

func (s *ReaderState) set(event uint32, atr []byte) {
	s.State, s.Events, s.ATR = State(event), uint16(event>>16), atr
}

// maxATR is the room that every platform has for an ATR in a reader state;
// the longest ATR has 33 bytes (ISO/IEC 7816-3 §8.2).
const maxATR = 36

// The protocols of SCardConnect; a card speaks one of them.
const (
	protocolT0  = 1
	protocolT1  = 2
	protocolAny = protocolT0 | protocolT1
)

const scopeSystem = 2

// Card is a connection to the card in a reader. It belongs to one goroutine at
// a time.
type Card struct {
	handle   handle
	protocol uint32
}

// responseRoom is the longest response to a command: 256 bytes and the status
// word for a short one, 65536 for an extended one (ISO/IEC 7816-4 §5.2).
func responseRoom(command []byte) int {
	if len(command) > 5 && command[4] == 0 {
		return 65536 + 2
	}
	return 256 + 2
}
