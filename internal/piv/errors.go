package piv

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// ErrNoPCSC is returned by everything in a build without PC/SC.
var ErrNoPCSC = pcsc.ErrNoPCSC

// What stands between the program and a card.
var (
	ErrNoService = errors.New("the smart card service is not running")
	// ErrServiceFailed is returned when the smart card service answers that it cannot do what
	// has nothing to do with a card, such as listing the readers.
	ErrServiceFailed = errors.New("the smart card service does not work")
	ErrAccessDenied  = errors.New("the smart card service refuses this user")
	ErrNoReader      = errors.New("no smart card reader")
	ErrNoCard        = errors.New("no card in the reader")
	ErrNotYubiKey    = errors.New("the card is not a YubiKey with PIV")
	// ErrNoSerial is returned when the card tells no serial number, or 0, so it cannot be told from
	// others.
	ErrNoSerial  = errors.New("the card has no serial number")
	ErrCardInUse = errors.New("another program holds the card")
	// ErrRemoved is returned when the card is not in a reader any more. What was being done may
	// have been done; look when it is back.
	ErrRemoved = errors.New("the card was removed")
	// ErrReset is returned when contact was lost for a moment. What was being done may have been
	// done; look and try again.
	ErrReset = errors.New("the card was reset")
	// ErrNoAnswer is returned when a call into the card took longer than any call may.
	ErrNoAnswer = errors.New("the card does not answer")
	// ErrBroken is returned when the card answers what no card answers.
	ErrBroken = errors.New("the card is broken, or not genuine")
)

// What a card refuses.
var (
	ErrEmptySlot     = errors.New("the slot holds no key")
	ErrNotAttestable = errors.New("the key was not generated on the card")
	// ErrCannotAttest is returned when the firmware, which is before 4.3, has no command to attest a key.
	ErrCannotAttest  = errors.New("firmware before 4.3 cannot attest keys")
	ErrPINBlocked    = errors.New("the PIN is blocked")
	ErrPUKBlocked    = errors.New("the PUK is blocked")
	ErrPINRequired   = errors.New("the key asks for the PIN")
	ErrWeakPIN       = errors.New("the card refuses a PIN or PUK that is so easily guessed")
	ErrManagementKey = pcsc.ErrManagementKey
	ErrCardFull      = errors.New("there is no room left on the card")
	ErrTouchTimeout  = errors.New("the card was not touched in time")
	ErrKeyMismatch   = errors.New("the slot holds another key")
	ErrSlotOccupied  = errors.New("the slot holds a key already")
	// ErrCannotMove is returned when the firmware, which is before 5.7, has no command to
	// move a key from one slot to another.
	ErrCannotMove = errors.New("firmware before 5.7 cannot move a key to another slot")
	// ErrIssuerCHUID is returned when the card's issuer signed the CHUID, so it stays as it is.
	ErrIssuerCHUID = errors.New("the CHUID is signed by the card's issuer")
	// ErrCertificateTooLarge: no object of the card has room for it.
	ErrCertificateTooLarge = errors.New("the certificate is too large for the card")
)

// WrongPINError is returned for a PIN or PUK that the card did not take.
type WrongPINError struct {
	Reference string // "PIN" or "PUK"
	Tries     int    // left
}

// Error says how many tries are left.
func (e *WrongPINError) Error() string {
	return fmt.Sprintf("wrong %s, %s", e.Reference, TriesLeft(e.Tries))
}

// LastTryError is returned for a PIN or PUK that was not sent, because the card would be
// blocked if it were wrong. See Card.AllowLastTry.
type LastTryError struct{ Reference string } // "PIN" or "PUK"

// Error says that nothing was tried.
func (e *LastTryError) Error() string {
	return fmt.Sprintf("only one try is left for the %s, and a wrong one blocks it: not tried", e.Reference)
}

// FactoryError is returned for a PIN or PUK that was not sent, because the card says that it still
// has the factory one, which this is not.
type FactoryError struct{ Reference string } // "PIN" or "PUK"

// Error says that nothing was tried.
func (e *FactoryError) Error() string {
	return fmt.Sprintf("the card's %s is still the factory one, and another one was given: not tried", e.Reference)
}

// EmptySlotError is returned where a slot has no key, or none that the card tells of. It is an
// ErrNotAttestable and, where the slot is known to be empty, an ErrEmptySlot.
type EmptySlotError struct {
	Unknown bool // firmware before 5.3, which does not tell of imported keys
}

// Error says whether there may be a key.
func (e *EmptySlotError) Error() string {
	if e.Unknown {
		return "the slot holds no key that was generated on the card; firmware before 5.3 does not tell whether one was imported"
	}
	return ErrEmptySlot.Error()
}

// Is reports true for ErrNotAttestable and, where the slot is known to be empty, for ErrEmptySlot.
func (e *EmptySlotError) Is(target error) bool {
	return target == ErrNotAttestable || target == ErrEmptySlot && !e.Unknown
}

// TriesLeft says how many tries are left: "1 try left", "2 tries left".
func TriesLeft(n int) string {
	if n == 1 {
		return "1 try left"
	}
	return fmt.Sprintf("%d tries left", n)
}

// SeveralCardsError is returned for a choice that only the caller can make.
type SeveralCardsError struct{ Serials []uint32 }

// Error lists the serial numbers.
func (e *SeveralCardsError) Error() string {
	return "several cards are connected: " + serials(e.Serials)
}

// WrongCardError is returned for a card that is not there while others are. It is an
// ErrNoCard.
type WrongCardError struct {
	Want uint32
	Have []uint32
}

// Error names the card asked for and those that are there.
func (e *WrongCardError) Error() string {
	return fmt.Sprintf("card %d is not in a reader; there is %s", e.Want, serials(e.Have))
}

// Is reports true for ErrNoCard.
func (e *WrongCardError) Is(target error) bool { return target == ErrNoCard }

// SerialMismatchError is returned for a card that says one serial number in the management
// application and another in PIV, so that it cannot be told which card it is. It is an
// ErrBroken.
type SerialMismatchError struct{ Management, PIV uint32 }

// Error says both serial numbers.
func (e *SerialMismatchError) Error() string {
	return fmt.Sprintf("%v: it says serial number %d in the management application and %d in PIV", ErrBroken, e.Management, e.PIV)
}

// Is reports true for ErrBroken.
func (e *SerialMismatchError) Is(target error) bool { return target == ErrBroken }

func serials(list []uint32) string {
	texts := make([]string, len(list))
	for i, serial := range list {
		texts[i] = fmt.Sprint(serial)
	}
	return strings.Join(texts, ", ")
}

// InUseError is returned for a card that another program uses exclusively. It is an
// ErrCardInUse.
type InUseError struct {
	Reader string
	// Programs that use smart cards at the moment, as far as they can be seen:
	// "scdaemon (1234)". One of them may be the holder.
	Programs []string
}

// Error says which reader and who may hold it.
func (e *InUseError) Error() string {
	who := "it may be gpg's scdaemon, a browser or another card tool"
	if len(e.Programs) > 0 {
		who = "using smart cards now: " + strings.Join(e.Programs, ", ")
	}
	return fmt.Sprintf("%v in %q (%s)", ErrCardInUse, e.Reader, who)
}

// Is reports true for ErrCardInUse.
func (e *InUseError) Is(target error) bool { return target == ErrCardInUse }
