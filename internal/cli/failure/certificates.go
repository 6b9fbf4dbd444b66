package failure

import (
	"errors"
	"fmt"
	"strings"
)

// RefusedError is returned where certificates cannot be registered.
type RefusedError struct{ Refused, Unread, Of int }

// Error counts those that are refused and those that cannot be read.
func (e *RefusedError) Error() string {
	switch {
	case e.Refused == 0:
		return fmt.Sprintf("%d of %d cannot be read", e.Unread, e.Of)
	case e.Unread == 0:
		return fmt.Sprintf("%d of %d certificates cannot be registered", e.Refused, e.Of)
	}
	return fmt.Sprintf("of %d, %d cannot be registered and %d cannot be read", e.Of, e.Refused, e.Unread)
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
