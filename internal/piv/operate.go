package piv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cse-piv/cse-piv/internal/sleep"
)

// with does one thing with the card, on the connection that is there or on a new
// one, and leaves the connection open for what comes next.
func with[T any](ctx context.Context, c *Card, doing string, limit time.Duration, remind *reminder, work func(*connection) (T, error)) (T, error) {
	inUse := max(c.options.InUseTimeout, 0) // another program may use the card
	result, err := run(ctx, c.lock, limit+inUse, remind, func() (T, error) {
		var zero T
		connection, err := c.connect(ctx)
		if err != nil {
			return zero, err
		}
		if err := ctx.Err(); err != nil {
			c.keepOpen(connection, err)
			return zero, err // nobody waits for it any more
		}
		value, err := work(connection)
		c.keepOpen(connection, err)
		return value, err
	})
	if err != nil {
		return result, fmt.Errorf("%s: %w", doing, err)
	}
	return result, nil
}

// connect returns the connection to the card. Whoever calls it has the lock.
func (c *Card) connect(ctx context.Context) (*connection, error) {
	c.stopIdleTimer()
	if c.connection != nil && c.connection.usable() {
		return c.connection, nil
	}
	c.disconnect()
	connection, err := retrying(ctx, c.options, func() (*connection, error) { return c.findOnce(ctx) })
	c.connection = connection
	return connection, err
}

// keepOpen leaves the connection open for a while, unless it broke. Whoever calls it
// has the lock.
func (c *Card) keepOpen(connection *connection, err error) {
	if breaks(err) || connection.wasCut() {
		c.disconnect()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(c.options.KeepOpen, func() {
		c.lock <- struct{}{}
		defer func() { <-c.lock }()
		if c.idle == timer { // it was not used since
			c.disconnect()
		}
	})
	c.idle = timer
}

// stopIdleTimer keeps the connection open. Whoever calls it has the lock.
func (c *Card) stopIdleTimer() {
	if c.idle != nil {
		c.idle.Stop()
		c.idle = nil
	}
}

// disconnect closes the connection, if there is one. Whoever calls it has the lock.
func (c *Card) disconnect() {
	if c.connection != nil {
		c.connection.close()
		c.connection = nil
	}
}

// do is with for what yields nothing and takes no longer than any call.
func (c *Card) do(ctx context.Context, doing string, work func(*connection) error) error {
	_, err := with(ctx, c, doing, c.options.CallTimeout, nil, func(connection *connection) (struct{}, error) {
		return struct{}{}, work(connection)
	})
	return err
}

// reading is with for a look at the card, which changes nothing and so is
// repeated when the contact breaks in the middle of it.
func reading[T any](ctx context.Context, c *Card, doing string, look func(*connection) (T, error)) (T, error) {
	for lost := 0; ; lost++ {
		seen, err := with(ctx, c, doing, c.options.CallTimeout, nil, look)
		if err == nil || lost == maxLostContacts || !errors.Is(err, ErrReset) && !errors.Is(err, ErrRemoved) {
			return seen, err
		}
		if err := sleep.For(ctx, backoff(lost)); err != nil {
			return seen, err
		}
	}
}
