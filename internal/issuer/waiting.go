package issuer

import (
	"errors"
	"fmt"
	"time"
)

// WaitingError says that the request was handed over and is not answered yet.
type WaitingError struct {
	Dir      string // folder of the exchange, for files
	Request  string // name of the request's file in Dir, or URL it was sent to
	Expected string // name of the certificate's file looked for in Dir
	// RetryAfter is when the CA wants to be asked again, 0 if it did not say.
	RetryAfter time.Duration
	// Found is a certificate that is there and does not count, such as an
	// *ExpiredError, or nil.
	Found error
}

// Error names the request and what is waited for.
func (w *WaitingError) Error() string {
	if w.Dir == "" {
		return fmt.Sprintf("waiting for the certificate: the request to %s is not approved yet", w.Request)
	}
	text := fmt.Sprintf("waiting for the certificate %s in %s for the request %s", w.Expected, w.Dir, w.Request)
	if w.Found != nil {
		text += fmt.Sprintf(" (%v)", w.Found)
	}
	return text
}

// Unwrap returns what was found and does not count.
func (w *WaitingError) Unwrap() error { return w.Found }

// Waits lists everything that an error waits for, which may be several
// certificates; nil where it waits for nothing.
func Waits(err error) []*WaitingError {
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		var all []*WaitingError
		for _, one := range several.Unwrap() {
			all = append(all, Waits(one)...)
		}
		return all
	}
	var waiting *WaitingError
	if errors.As(err, &waiting) {
		return []*WaitingError{waiting}
	}
	return nil
}
