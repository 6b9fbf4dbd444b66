package source

import (
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/spreadsheet"
)

// Reasons of row errors, stable names for reports and tests.
const (
	ReasonMalformed   = "row-malformed"           // quoting, JSON, text encoding, number of cells
	ReasonTooLong     = "row-too-long"            // longer than a row may be
	ReasonAddress     = "address-missing"         // no mail address
	ReasonCertificate = "certificate-missing"     // no certificate
	ReasonTwice       = "certificate-twice"       // several for one use
	ReasonFile        = "certificate-unreadable"  // the file is not there or cannot be read
	ReasonOutside     = "certificate-outside"     // the file is outside the source's folder
	ReasonTooLarge    = "certificate-too-large"   // far larger than any chain
	ReasonNotChosen   = "certificate-not-chosen"  // none is by the issuer or of the policy asked for
	ReasonUnsupported = "certificate-unsupported" // an attribute's value is no certificate
)

// ErrFormat is wrapped by errors about a source that cannot be read at all: no
// header, another kind of file.
var ErrFormat = errors.New("not a source of certificates")

// Error is what a row's Err and the end of a stream are made of.
type Error struct {
	// Reason is a stable name where the error is about a row, else empty.
	Reason string
	Err    error
	// Expected says what would be right, in the words of the format or protocol; it
	// may be empty.
	Expected string
}

// Error returns the cause; what would be right is for whoever shows it to add.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// rowError is an error of one row. Texts in it, which come from outside, are
// shortened: a cell with a path may have a megabyte.
func rowError(reason, expected, format string, args ...any) *Error {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = shorten(text)
		}
	}
	return &Error{Reason: reason, Err: fmt.Errorf(format, args...), Expected: expected}
}

// shorten keeps a text short enough for a message.
func shorten(s string) string {
	const most = 200
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// brokenRow is the error of a row of CSV that cannot be read.
func brokenRow(err error) *Error {
	row := &Error{Reason: ReasonMalformed, Err: err}
	if errors.Is(err, spreadsheet.ErrTooLong) {
		row.Reason = ReasonTooLong
	}
	if broken, ok := errors.AsType[*spreadsheet.Error](err); ok {
		row.Expected = broken.Expected
	}
	return row
}

// notUTF8 says of a text that is not UTF-8 how it would read in Windows-1252.
func notUTF8(text string) string {
	if decoded, ok := spreadsheet.Windows1252(text); ok {
		return fmt.Sprintf("is not UTF-8; it reads %q in Windows-1252", shorten(decoded))
	}
	return "is not UTF-8"
}

const expectUTF8 = "save the manifest as CSV UTF-8, or as UTF-8 text"

// formatError is an error of a whole source.
func formatError(expected, format string, args ...any) *Error {
	return &Error{Err: fmt.Errorf("%w: %w", ErrFormat, fmt.Errorf(format, args...)), Expected: expected}
}
