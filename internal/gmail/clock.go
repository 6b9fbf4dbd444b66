package gmail

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/cse-piv/cse-piv/internal/format"
)

// ClockError is returned where this machine's clock is not the server's. It is an
// [ErrCredentials]: assertions are good by the server's clock only.
type ClockError struct {
	// Ahead is how far this machine's clock is ahead, at least; negative for behind.
	Ahead time.Duration
}

// Error says how far apart the clocks are.
func (e *ClockError) Error() string {
	off, direction := e.Ahead.Round(time.Second), "ahead of"
	if off < 0 {
		off, direction = -off, "behind"
	}
	return fmt.Sprintf("this machine's clock is %s %s the server's", format.Duration(off), direction)
}

// Is reports true for ErrCredentials.
func (e *ClockError) Is(target error) bool { return target == ErrCredentials }

// ClockAhead asks the token endpoint for the time, without credentials, and returns how
// far this machine's clock is ahead of its Date header (RFC 9110 section 6.6.1), at
// least: what may be the time that the exchange took is taken off. It is negative for a
// clock that is behind. Errors match ErrUnavailable, or ErrProtocol where the answer tells
// no time.
func (d *Domain) ClockAhead(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, d.config.CallTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.tokens.endpoint(), nil)
	if err != nil {
		return 0, &Error{Method: "clock", Kind: KindInvalid, Message: "the address is not a URL"}
	}
	client := &http.Client{Transport: &bounded{base: d.base}, CheckRedirect: noRedirect}
	began := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return 0, classifyTransport(ctx, "clock", "", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body) // so that the connection can be used again
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return 0, &Error{Method: "clock", Kind: KindProtocol, Message: "the answer tells no time"}
	}
	return ahead(date, began, time.Now()), nil
}

// ahead is how far a clock is ahead that showed began and ended around the moment of a
// date, which is cut to its second.
func ahead(date, began, ended time.Time) time.Duration {
	switch {
	case began.After(date.Add(time.Second)):
		return began.Sub(date.Add(time.Second))
	case ended.Before(date):
		return ended.Sub(date)
	}
	return 0
}
