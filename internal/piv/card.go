package piv

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/sleep"
)

// Options tune a Card. The zero value is ready for use.
type Options struct {
	// OnTouch is called once when an operation with a key that may ask for a
	// touch has not come back for a while. It is called on the goroutine of the
	// operation's caller and must not call the Card.
	OnTouch func(Slot)
	// TouchDelay is how long an operation with such a key must be out before
	// OnTouch is called; 0 is half a second.
	TouchDelay time.Duration
	// CallTimeout limits each operation but key generation; 0 is 30 seconds.
	CallTimeout time.Duration
	// AnswerTimeout limits each command to which the card's answer has no bounds of
	// its own; 0 is 10 seconds. A key that may ask for a touch gets 15 more.
	AnswerTimeout time.Duration
	// GenerateTimeout limits key generation; 0 is 3 minutes.
	GenerateTimeout time.Duration
	// KeepOpen is how long the connection stays open with nothing to do; 0 is 2
	// seconds. Windows resets a card in a transaction that rests for 5 seconds.
	KeepOpen time.Duration
	// InUseTimeout is how long a card that another program holds is waited for;
	// 0 is 4 seconds, less than 0 not at all.
	InUseTimeout time.Duration
}

func (o Options) withDefaults() Options {
	if o.CallTimeout <= 0 {
		o.CallTimeout = callLimit
	}
	if o.AnswerTimeout <= 0 {
		o.AnswerTimeout = 10 * time.Second
	}
	if o.GenerateTimeout <= 0 {
		o.GenerateTimeout = 3 * time.Minute
	}
	if o.TouchDelay <= 0 {
		o.TouchDelay = 500 * time.Millisecond
	}
	if o.KeepOpen <= 0 {
		o.KeepOpen = 2 * time.Second
	}
	if o.InUseTimeout == 0 {
		o.InUseTimeout = inUseTimeout
	}
	return o
}

// Card is the card with a serial number, wherever it is. The first operation
// connects to it, exclusively, and those that follow use the same connection,
// until Release or a while with nothing to do; the next one looks for the card
// anew. Its methods may be called from several goroutines; they take turns.
//
// All methods that talk to the card return, besides what they name: ErrRemoved,
// ErrReset, ErrCardInUse, ErrNoService, ErrNoAnswer, ErrBroken and the context's
// error.
type Card struct {
	*shared
	lastTry bool
}

// shared is what the views of one card have in common.
type shared struct {
	lock    lock
	options Options

	// For whoever has the lock.
	connection *connection      // nil while the card is released
	idle       *time.Timer      // releases a connection with nothing to do
	seen       pcsc.ReaderState // of the card's reader, when it was asked who it is

	mu       sync.Mutex
	identity Identity
}

// Open finds the card with that serial number; 0 takes the one YubiKey that is
// connected. It connects to none: Release is needed only after an operation.
//
// Errors: ErrNoPCSC, ErrNoService, ErrAccessDenied, ErrNoReader, ErrNoCard (a
// *WrongCardError where other cards are there), ErrNotYubiKey, ErrNoSerial,
// ErrCardInUse (a *InUseError), *SeveralCardsError.
func Open(ctx context.Context, serial uint32, options Options) (*Card, error) {
	options = options.withDefaults()
	limit := callLimit + max(options.InUseTimeout, 0)
	return run(ctx, newLock(), limit, nil, func() (*Card, error) {
		deadline := time.Now().Add(options.InUseTimeout)
		for {
			seen, err := list(ctx, nil)
			if err != nil {
				return nil, err
			}
			found, err := choose(seen, serial)
			if err == nil {
				return newCard(found, options), nil
			}
			if !errors.Is(err, ErrCardInUse) || time.Now().After(deadline) {
				return nil, err
			}
			if err := sleep.For(ctx, retryPause); err != nil {
				return nil, err
			}
		}
	})
}

func newCard(found Found, options Options) *Card {
	return &Card{shared: &shared{lock: newLock(), options: options, identity: found.Identity, seen: found.state}}
}

// choose picks the card out of what List found. With serial 0 a reader that
// cannot be looked into is an error: it may hold a second YubiKey.
func choose(found []Found, serial uint32) (Found, error) {
	if len(found) == 0 {
		return Found{}, ErrNoReader
	}
	var (
		cards          []Found
		serials        []uint32
		unread, others error
	)
	for _, f := range found {
		switch {
		case f.Err == nil && serial != 0 && f.Identity.Serial == serial:
			return f, nil
		case f.Err == nil:
			cards, serials = append(cards, f), append(serials, f.Identity.Serial)
		case errors.Is(f.Err, ErrNoCard):
		case errors.Is(f.Err, ErrNotYubiKey), errors.Is(f.Err, ErrNoSerial):
			others = fmt.Errorf("in %q: %w", f.Reader, f.Err)
		case unread == nil || errors.Is(f.Err, ErrCardInUse):
			unread = fmt.Errorf("in %q: %w", f.Reader, f.Err)
		}
	}
	switch {
	case unread != nil:
		return Found{}, unread
	case serial == 0 && len(cards) == 1:
		return cards[0], nil
	case serial == 0 && len(cards) > 1:
		return Found{}, &SeveralCardsError{Serials: serials}
	case serial != 0 && len(cards) > 0:
		return Found{}, &WrongCardError{Want: serial, Have: serials}
	case others != nil:
		return Found{}, others
	}
	return Found{}, ErrNoCard
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

// Release closes the connection to the card, so that other programs can use it. It
// waits for an operation that was given up on, and resets a card that may have
// accepted a PIN or management key. It is for every pause, such as a person who types,
// and for the end; the next operation connects anew.
// It returns the context's error when that ends first.
func (c *Card) Release(ctx context.Context) error {
	select {
	case c.lock <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.lock }()
	c.stopIdleTimer()
	c.disconnect()
	return nil
}
