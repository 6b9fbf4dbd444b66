package failure

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// RefusedError is returned where certificates cannot be registered. Where a password alone is missing or
// wrong, it is a [certificate.ErrPassword].
type RefusedError struct{ Refused, Unread, Closed, Of int } // Closed of Unread have no right password

// Error counts those that are refused and those that cannot be read.
func (e *RefusedError) Error() string {
	switch {
	case e.passwords():
		return fmt.Sprintf("%d of %d cannot be read without the right password", e.Unread, e.Of)
	case e.Refused == 0:
		return fmt.Sprintf("%d of %d cannot be read", e.Unread, e.Of)
	case e.Unread == 0:
		return fmt.Sprintf("%d of %d certificates cannot be registered", e.Refused, e.Of)
	}
	return fmt.Sprintf("of %d, %d cannot be registered and %d cannot be read", e.Of, e.Refused, e.Unread)
}

// Is reports true for [certificate.ErrPassword] where nothing else is wrong.
func (e *RefusedError) Is(target error) bool {
	return target == certificate.ErrPassword && e.passwords()
}

func (e *RefusedError) passwords() bool {
	return e.Refused == 0 && e.Closed > 0 && e.Closed == e.Unread
}

// ManyAddressesError is returned for a certificate that does not say by itself whose it is.
type ManyAddressesError struct {
	File      string
	Addresses []string
}

// Error names the file, and the addresses that the certificate has.
func (e *ManyAddressesError) Error() string {
	if len(e.Addresses) == 0 {
		return e.File + ": the certificate names no mail address"
	}
	return fmt.Sprintf("%s: the certificate is for several addresses: %s", e.File, strings.Join(e.Addresses, ", "))
}

// ErrTwice is returned for a second chain of the same user.
var ErrTwice = errors.New("there is another chain for the same user")
