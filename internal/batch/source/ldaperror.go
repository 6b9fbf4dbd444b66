package source

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/cse-piv/cse-piv/internal/safetext"
)

// directoryError is returned for what a directory refused, or did not answer.
type directoryError struct {
	doing string
	err   error
}

// Error says what the directory answered (RFC 4511 section 4.1.9), or what became of the
// connection.
func (e *directoryError) Error() string {
	var answered *ldap.Error
	switch {
	case strings.HasPrefix(e.err.Error(), "unable to read LDAP response packet"): // of go-ldap, which keeps the cause as text alone
		return e.doing + ": the connection was closed before the answer was complete, or what answers is no directory"
	case !errors.As(e.err, &answered):
		return e.doing + ": " + safetext.NetworkError(e.err)
	case answered.ResultCode < ldap.ErrorNetwork:
		text := fmt.Sprintf("%s: the directory answered %s (%d)", e.doing, ldap.LDAPResultCodeMap[answered.ResultCode], answered.ResultCode)
		if why := safetext.Message(answered.Err.Error()); why != "" {
			text += ": " + why
		}
		return text
	}
	// From here on the codes are go-ldap's.
	if why := safetext.NetworkError(answered.Err); why != answered.Err.Error() {
		return e.doing + ": " + why
	}
	switch answered.ResultCode {
	case ldap.ErrorNetwork:
		return e.doing + ": the connection was lost"
	case ldap.ErrorUnexpectedMessage, ldap.ErrorUnexpectedResponse, ldap.ErrorMalformedPacket:
		return e.doing + ": what answers is no directory"
	}
	return e.doing + ": " + answered.Err.Error()
}

// Unwrap returns the cause.
func (e *directoryError) Unwrap() error { return e.err }
