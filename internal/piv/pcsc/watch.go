package pcsc

import (
	"context"
	"errors"
	"time"

	"github.com/cse-piv/cse-piv/internal/sleep"
)

// cancelPause is how long a wait gets to end after it was cancelled.
const cancelPause = 20 * time.Millisecond

// Watch is StatusChange under a context: it returns nil when a reader changed or
// the limit was reached, and the context's error when that ended first.
func (c *Context) Watch(ctx context.Context, states []ReaderState, limit time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(states) == 0 {
		return sleep.For(ctx, limit)
	}
	returned, cancelled := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cancelled)
		for {
			c.Cancel() // in vain where the wait has not yet begun
			select {
			case <-returned:
				return
			case <-time.After(cancelPause):
			}
		}
	})
	err := c.StatusChange(states, limit)
	close(returned)
	if !stop() {
		<-cancelled // the context must not be released under its feet
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, Timeout) {
		return nil
	}
	return err
}
