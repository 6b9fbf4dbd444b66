package failure

import (
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/format"
)

// ChecksError is returned where checks failed. It wraps why the first one did, which
// decides how the command ends.
type ChecksError struct {
	Failed, Total int
	Name          string // of the first one
	Err           error
}

// Error counts, and says why the first one failed.
func (e *ChecksError) Error() string {
	return fmt.Sprintf("%d of %s failed, first %s: %v", e.Failed, format.Count(e.Total, "check"), e.Name, e.Err)
}

// Unwrap returns why the first one failed.
func (e *ChecksError) Unwrap() error { return e.Err }

// NoAnswerError is returned for a check that did not end in its time.
type NoAnswerError struct{ Within string }

// Error says how long it took.
func (e *NoAnswerError) Error() string { return "no answer within " + e.Within }

// ForeignError is something that is believed or asked in place of Google's or Yubico's
// own, by a flag.
type ForeignError struct {
	What           string
	Flag, Variable string // of the environment
}

// Error says what it is.
func (e *ForeignError) Error() string { return e.What }

// EndpointError is returned for a flag, or what stands for it, that names no address to ask Google's
// services at.
type EndpointError struct {
	Flag, Variable string // of the environment
	Err            error  // which flag, and what is wrong with the address
}

// Error names the flag, and says what is wrong.
func (e *EndpointError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong with the address.
func (e *EndpointError) Unwrap() error { return e.Err }

// ErrFactoryPIN is a card whose PIN anybody knows.
var ErrFactoryPIN = errors.New("the PIN is still the factory one")

// ErrFactoryKeyPIN is a card with the service account's key whose PIN anybody knows.
var ErrFactoryKeyPIN = errors.New("the PIN of the card with the service account's key is still the factory one")

// AuthoritiesError is returned where the intermediates that were kept cannot be read.
type AuthoritiesError struct {
	Path string
	Err  error
}

// Error names the file.
func (e *AuthoritiesError) Error() string {
	return fmt.Sprintf("reading Yubico's intermediates that were kept in %s: %v", e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *AuthoritiesError) Unwrap() error { return e.Err }

// NoAuthoritiesError is returned where nothing of a file leads to a root of Yubico's.
type NoAuthoritiesError struct {
	Source string
	First  error // why the first certificate does not; nil where there is none
}

// Error names the source.
func (e *NoAuthoritiesError) Error() string {
	text := e.Source + " has no intermediate of Yubico's, and nothing is kept"
	if e.First != nil {
		text += ": " + e.First.Error()
	}
	return text
}
