package piv

import (
	"errors"
	"strconv"
	"strings"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// classify puts the sentinel that a caller decides by in front of an error from
// PC/SC or from the card. Errors that have one, and those that need none, come
// back as they are.
func classify(err error) error {
	if err == nil || errors.Is(err, ErrNoPCSC) {
		return err
	}
	if sentinel := sentinelOf(err); sentinel != nil && !errors.Is(err, sentinel) {
		return &classified{sentinel, err}
	}
	return err
}

// classified is an error with the sentinel that tells it.
type classified struct{ sentinel, err error }

// Error says what the sentinel says, and how it showed, where that says more.
func (c *classified) Error() string {
	if text := c.err.Error(); strings.HasSuffix(text, c.sentinel.Error()) {
		return text
	}
	return c.sentinel.Error() + ": " + c.err.Error()
}

// Unwrap returns both.
func (c *classified) Unwrap() []error { return []error{c.sentinel, c.err} }

// breaks reports whether an error is the end of the connection that it came over:
// the card did not answer, or not as cards do.
func breaks(err error) bool {
	if err == nil {
		return false
	}
	_, failed := codeOf(err)
	return failed || errors.Is(err, pcsc.ErrEndless)
}

func sentinelOf(err error) error {
	if code, ok := codeOf(err); ok {
		sentinel := sentinelOfCode(code)
		if isOfService(err) && (sentinel == ErrReset || sentinel == nil && !isOrdinary(code)) {
			return ErrServiceFailed
		}
		return sentinel
	}
	if status, ok := statusOf(err); ok && status == pcsc.CardFull {
		return ErrCardFull
	}
	if errors.Is(err, pcsc.ErrEndless) || errors.Is(err, bertlv.ErrMalformed) || errors.Is(err, bertlv.ErrNotFound) {
		return ErrBroken
	}
	return nil
}

func sentinelOfCode(code pcsc.Code) error {
	switch code {
	case pcsc.NoService, pcsc.ServiceStopped:
		return ErrNoService
	case pcsc.SecurityViolation, pcsc.AccessDenied:
		return ErrAccessDenied
	case pcsc.SharingViolation:
		return ErrCardInUse
	case pcsc.NoSmartCard, pcsc.RemovedCard, pcsc.UnknownReader, pcsc.ReaderUnavailable, pcsc.NoReaders:
		return ErrRemoved
	case pcsc.ResetCard, pcsc.UnpoweredCard, pcsc.UnresponsiveCard, pcsc.CommError, pcsc.CommDataLost,
		pcsc.InvalidHandle, pcsc.NotTransacted, pcsc.NotReady, pcsc.InternalError, pcsc.UnexpectedError:
		return ErrReset
	}
	return nil
}

// isOfService reports whether the service itself failed, before a card was asked
// anything.
func isOfService(err error) bool {
	if failed, ok := errors.AsType[*pcsc.Error](err); ok {
		return failed.Service
	}
	return strings.Contains(err.Error(), pivgoConnects)
}

// isOrdinary reports whether a service that works answers with the code.
func isOrdinary(code pcsc.Code) bool {
	return code == pcsc.Timeout || code == pcsc.Cancelled || code == pcsc.BufferTooSmall
}

// pivgoConnects begins the text of piv-go's error where no connection to the service
// comes about.
const pivgoConnects = "connecting to smart card daemon: "

// statusOf returns the status word in an error of ours or of piv-go, whose type
// is unexported.
func statusOf(err error) (pcsc.Status, bool) {
	var carrier interface {
		error
		Status() uint16
	}
	if errors.As(err, &carrier) {
		return pcsc.Status(carrier.Status()), true
	}
	return 0, false
}

// codeOf returns the PC/SC return code in an error. piv-go keeps the code in an
// unexported type, so its text decides there.
func codeOf(err error) (pcsc.Code, bool) {
	var code pcsc.Code
	if errors.As(err, &code) {
		return code, true
	}
	if _, ok := statusOf(err); ok {
		return 0, false
	}
	text := err.Error()
	if _, after, ok := strings.Cut(text, "unknown pcsc return code 0x"); ok && len(after) >= 8 {
		if n, err := strconv.ParseUint(after[:8], 16, 32); err == nil {
			return pcsc.Code(n), true
		}
	}
	for _, known := range foreignTexts() {
		if strings.Contains(text, known.text) {
			return known.code, true
		}
	}
	return 0, false
}

type foreignText struct {
	text string
	code pcsc.Code
}

// foreignTexts are parts of piv-go's error texts by which they are told apart.
func foreignTexts() []foreignText {
	return []foreignText{
		{"because of other connections outstanding", pcsc.SharingViolation},
		{"no Smart Card is currently in the device", pcsc.NoSmartCard},
		{"the smart card has been removed", pcsc.RemovedCard},
		{"the smart card has been reset", pcsc.ResetCard},
		{"power has been removed from the smart card", pcsc.UnpoweredCard},
		{"not responding to a reset", pcsc.UnresponsiveCard},
		{"the specified reader name is not recognized", pcsc.UnknownReader},
		{"the specified reader is not currently available", pcsc.ReaderUnavailable},
		{"cannot find a smart card reader", pcsc.NoReaders},
		{"resource manager is not running", pcsc.NoService},
		{"resource manager has shut down", pcsc.ServiceStopped},
		{"the supplied handle was invalid", pcsc.InvalidHandle},
		{"internal communications error", pcsc.CommError},
		{"communications error with the smart card", pcsc.CommDataLost},
		{"not ready to accept commands", pcsc.NotReady},
		{"scard response too short", pcsc.CommError},
		{"end a non-existent transaction", pcsc.NotTransacted},
		{"an internal consistency check failed", pcsc.InternalError},
		{"an unexpected card error", pcsc.UnexpectedError},
		{"denied because of a security violation", pcsc.SecurityViolation},
	}
}
