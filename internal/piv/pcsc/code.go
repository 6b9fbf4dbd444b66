package pcsc

import (
	"errors"
	"fmt"
)

// ErrNoPCSC is returned by every function of a build without PC/SC: cgo is off
// on a system where the binding needs it.
var ErrNoPCSC = errors.New("this build has no PC/SC: build with CGO_ENABLED=1 and libpcsclite-dev")

// Code is a PC/SC return code (PC/SC part 5, §3; winscard.h). It is an error so
// that callers can ask errors.Is(err, pcsc.SharingViolation).
type Code uint32

// The return codes that decide what a caller does next.
const (
	InternalError     Code = 0x80100001
	Cancelled         Code = 0x80100002
	InvalidHandle     Code = 0x80100003
	InvalidParameter  Code = 0x80100004
	NoMemory          Code = 0x80100006
	BufferTooSmall    Code = 0x80100008
	UnknownReader     Code = 0x80100009
	Timeout           Code = 0x8010000A
	SharingViolation  Code = 0x8010000B
	NoSmartCard       Code = 0x8010000C
	ProtocolMismatch  Code = 0x8010000F
	NotReady          Code = 0x80100010
	CommError         Code = 0x80100013
	NotTransacted     Code = 0x80100016
	ReaderUnavailable Code = 0x80100017
	NoService         Code = 0x8010001D
	ServiceStopped    Code = 0x8010001E
	UnexpectedError   Code = 0x8010001F
	NoReaders         Code = 0x8010002E
	CommDataLost      Code = 0x8010002F
	ServerTooBusy     Code = 0x80100031
	UnsupportedCard   Code = 0x80100065
	UnresponsiveCard  Code = 0x80100066
	UnpoweredCard     Code = 0x80100067
	ResetCard         Code = 0x80100068
	RemovedCard       Code = 0x80100069
	SecurityViolation Code = 0x8010006A
	// AccessDenied is ERROR_ACCESS_DENIED of Windows, which its calls return as it is.
	AccessDenied Code = 5
)

// Error names the code in a few words.
func (c Code) Error() string {
	if text := c.text(); text != "" {
		return text
	}
	return fmt.Sprintf("PC/SC error %08X", uint32(c))
}

func (c Code) text() string {
	switch c {
	case InternalError:
		return "internal error of the smart card service"
	case Cancelled:
		return "waiting was cancelled"
	case InvalidHandle:
		return "the connection to the card is gone"
	case InvalidParameter:
		return "invalid parameter"
	case NoMemory:
		return "the smart card service is out of memory"
	case BufferTooSmall:
		return "the answer is longer than expected"
	case UnknownReader:
		return "no such reader"
	case Timeout:
		return "time limit reached"
	case SharingViolation:
		return "another program holds the card"
	case NoSmartCard:
		return "no card in the reader"
	case ProtocolMismatch:
		return "the card does not speak the protocol asked for"
	case NotReady:
		return "the reader or card is not ready"
	case CommError, CommDataLost:
		return "communication with the card failed"
	case NotTransacted:
		return "no transaction to end"
	case ReaderUnavailable:
		return "the reader is not available"
	case NoService:
		return "the smart card service is not running"
	case ServiceStopped:
		return "the smart card service has stopped"
	case UnexpectedError:
		return "unexpected card error"
	case NoReaders:
		return "no smart card reader"
	case ServerTooBusy:
		return "the smart card service is too busy"
	case UnsupportedCard:
		return "the reader cannot talk to this card"
	case UnresponsiveCard:
		return "the card does not respond to a reset"
	case UnpoweredCard:
		return "the card has no power"
	case ResetCard:
		return "the card was reset"
	case RemovedCard:
		return "the card was removed"
	case SecurityViolation, AccessDenied:
		return "access to the smart card service was denied"
	}
	return ""
}

// Error is a PC/SC call that failed.
type Error struct {
	Call string // what was being done, such as "connect"
	Code Code
	// Service says that the call was one to the service itself, with no card in it.
	Service bool
}

// Error says which call failed and why.
func (e *Error) Error() string { return e.Call + ": " + e.Code.Error() }

// Unwrap returns the code.
func (e *Error) Unwrap() error { return e.Code }

// check turns a return code into an error, nil for SCARD_S_SUCCESS.
func check(call string, code uint32) error {
	if code == 0 {
		return nil
	}
	return &Error{Call: call, Code: Code(code)}
}

// checkService is check for a call to the service itself.
func checkService(call string, code uint32) error {
	if code == 0 {
		return nil
	}
	return &Error{Call: call, Code: Code(code), Service: true}
}
