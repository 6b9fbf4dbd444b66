package piv

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// limit is how long an operation with that time limit may take when it has to
// wait for another holder first.
func (c *Card) limit(call time.Duration) time.Duration {
	return call + max(c.options.HeldPatience, 0)
}

// withSession does one thing in a session of our own with the card.
func withSession[T any](ctx context.Context, c *Card, doing string, work func(*session) (T, error)) (T, error) {
	result, err := run(ctx, c.lane, c.limit(c.options.CallTimeout), nil, func() (T, error) {
		s, err := c.open(ctx)
		if err != nil {
			var zero T
			return zero, err
		}
		defer s.close()
		return work(s)
	})
	if err != nil {
		return result, fmt.Errorf("%s: %w", doing, err)
	}
	return result, nil
}

// withKey does one thing with the card through piv-go.
func withKey[T any](ctx context.Context, c *Card, doing string, limit time.Duration, remind *reminder, work func(yubikey) (T, error)) (T, error) {
	result, err := run(ctx, c.lane, c.limit(limit), remind, func() (T, error) {
		key, err := c.hold(ctx)
		if err != nil {
			var zero T
			return zero, err
		}
		defer key.close()
		return work(key)
	})
	if err != nil {
		return result, fmt.Errorf("%s: %w", doing, err)
	}
	return result, nil
}

// withKey does one thing with the card through piv-go that yields nothing.
func (c *Card) withKey(ctx context.Context, doing string, work func(yubikey) error) error {
	_, err := withKey(ctx, c, doing, c.options.CallTimeout, nil, func(key yubikey) (struct{}, error) {
		return struct{}{}, work(key)
	})
	return err
}

// reading repeats a look at the card, which changes nothing, when the contact
// breaks in the middle of it.
func reading[T any](ctx context.Context, look func() (T, error)) (T, error) {
	for glitches := 0; ; glitches++ {
		seen, err := look()
		if err == nil || glitches == maxGlitches || !errors.Is(err, ErrReset) && !errors.Is(err, ErrRemoved) {
			return seen, err
		}
		if err := sleep(ctx, settling(glitches)); err != nil {
			return seen, err
		}
	}
}
