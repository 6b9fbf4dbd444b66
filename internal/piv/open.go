package piv

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Options tune a Card. The zero value is ready for use.
type Options struct {
	// OnTouch is called once when an operation with a key that may ask for a
	// touch has not come back after half a second. It is called on the goroutine
	// of the operation's caller and must not call the Card.
	OnTouch func(Slot)
	// CallTimeout limits each operation but key generation; 0 is 30 seconds.
	CallTimeout time.Duration
	// GenerateTimeout limits key generation; 0 is 3 minutes.
	GenerateTimeout time.Duration
	// HeldPatience is how long a card that another program holds is waited for;
	// 0 is 4 seconds, less than 0 not at all.
	HeldPatience time.Duration
}

func (o Options) withDefaults() Options {
	if o.CallTimeout <= 0 {
		o.CallTimeout = callLimit
	}
	if o.GenerateTimeout <= 0 {
		o.GenerateTimeout = 3 * time.Minute
	}
	if o.HeldPatience == 0 {
		o.HeldPatience = heldPatience
	}
	return o
}

// Card is the card with a serial number, wherever it is. Its methods may be
// called from several goroutines; they take turns.
//
// All methods that talk to the card return, besides what they name: ErrRemoved,
// ErrReset, ErrCardHeld, ErrNoService, ErrNoAnswer and the context's error.
type Card struct {
	*shared
	lastTry bool
}

// shared is what the views of one card have in common.
type shared struct {
	lane    lane
	options Options

	mu       sync.Mutex
	identity Identity
	place    place
	touch    map[Slot]TouchPolicy
}

// Open finds the card with that serial number; 0 takes the one YubiKey that is
// connected. The card is let go of before Open returns.
//
// Errors: ErrNoPCSC, ErrNoService, ErrAccessDenied, ErrNoReader, ErrNoCard (a
// *WrongCardError where other cards are there), ErrNotYubiKey, ErrCardHeld (a
// *HeldError), *SeveralCardsError.
func Open(ctx context.Context, serial uint32, options Options) (*Card, error) {
	options = options.withDefaults()
	limit := options.CallTimeout + max(options.HeldPatience, 0)
	return run(ctx, newLane(), limit, nil, func() (*Card, error) {
		patience := time.Now().Add(options.HeldPatience)
		for {
			found, err := list(ctx, identify)
			if err != nil {
				return nil, err
			}
			identity, err := choose(found, serial)
			if err == nil {
				return newCard(identity, options), nil
			}
			if !errors.Is(err, ErrCardHeld) || time.Now().After(patience) {
				return nil, err
			}
			if err := sleep(ctx, heldPause); err != nil {
				return nil, err
			}
		}
	})
}

func newCard(identity Identity, options Options) *Card {
	return &Card{shared: &shared{
		lane:     newLane(),
		options:  options,
		identity: identity,
		touch:    make(map[Slot]TouchPolicy),
	}}
}

// choose picks the card out of what List found. With serial 0 a reader that
// cannot be looked into is an error: it may hold a second YubiKey.
func choose(found []Found, serial uint32) (Identity, error) {
	if len(found) == 0 {
		return Identity{}, ErrNoReader
	}
	var (
		cards          []Identity
		serials        []uint32
		unread, others error
	)
	for _, f := range found {
		switch {
		case f.Err == nil && serial != 0 && f.Identity.Serial == serial:
			return f.Identity, nil
		case f.Err == nil:
			cards, serials = append(cards, f.Identity), append(serials, f.Identity.Serial)
		case errors.Is(f.Err, ErrNoCard):
		case errors.Is(f.Err, ErrNotYubiKey):
			others = fmt.Errorf("in %q: %w", f.Reader, f.Err)
		case unread == nil || errors.Is(f.Err, ErrCardHeld):
			unread = fmt.Errorf("in %q: %w", f.Reader, f.Err)
		}
	}
	switch {
	case unread != nil:
		return Identity{}, unread
	case serial == 0 && len(cards) == 1:
		return cards[0], nil
	case serial == 0 && len(cards) > 1:
		return Identity{}, &SeveralCardsError{Serials: serials}
	case serial != 0 && len(cards) > 0:
		return Identity{}, &WrongCardError{Want: serial, Have: serials}
	case others != nil:
		return Identity{}, others
	}
	return Identity{}, ErrNoCard
}

// Identity returns which card it is and where it was seen last.
func (c *Card) Identity() Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.identity
}

// AllowLastTry returns the same card for one who has agreed that a PIN or PUK
// may be tried although a wrong one blocks it.
func (c *Card) AllowLastTry() *Card { return &Card{shared: c.shared, lastTry: true} }

// Close waits for operations that were given up on when their context ended. It
// returns the context's error when that ends first. A Card holds nothing else.
func (c *Card) Close(ctx context.Context) error {
	select {
	case c.lane <- struct{}{}:
		<-c.lane
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
