package piv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// Found is a reader and what is in it.
type Found struct {
	Reader   string
	Identity Identity // zero where Err is set
	Err      error    // ErrNoCard, ErrNotYubiKey, ErrCardHeld, or what else went wrong
}

// How long and how often the package tries again by itself.
const (
	callLimit    = 30 * time.Second
	heldPatience = 4 * time.Second
	heldPause    = 100 * time.Millisecond
	briefHold    = 500 * time.Millisecond // another program that only looked
	maxGlitches  = 3
)

// List looks into every reader. It returns an error only when PC/SC itself
// fails: ErrNoPCSC, ErrNoService, ErrAccessDenied. A call into a driver that
// hangs is left behind when ctx ends, and closes what it opened when it returns.
func List(ctx context.Context) ([]Found, error) {
	return run(ctx, newLane(), callLimit, nil, func() ([]Found, error) { return list(ctx, identify) })
}

func list(ctx context.Context, ask func(*session) (Identity, error)) ([]Found, error) {
	states, err := readers()
	if err != nil {
		return nil, fmt.Errorf("listing readers: %w", err)
	}
	found := make([]Found, len(states))
	for i, state := range states {
		found[i].Reader = state.Reader
		if !state.Present() {
			found[i].Err = ErrNoCard
			continue
		}
		found[i].Identity, found[i].Err = look(ctx, state.Reader, ask)
	}
	return found, ctx.Err()
}

// look asks the card in a reader, again after a glitch or while it is held for
// a moment.
func look(ctx context.Context, reader string, ask func(*session) (Identity, error)) (Identity, error) {
	patience := time.Now().Add(briefHold)
	for glitches := 0; ; {
		identity, err := lookOnce(reader, ask)
		pause := heldPause
		switch {
		case (errors.Is(err, ErrReset) || errors.Is(err, ErrRemoved)) && glitches < maxGlitches:
			// A loose contact looks like a card that is gone for a moment.
			pause = settling(glitches)
			glitches++
		case errors.Is(err, ErrCardHeld) && time.Now().Before(patience):
		case errors.Is(err, ErrCardHeld):
			return Identity{}, &HeldError{Reader: reader, Programs: smartCardPrograms()}
		case errors.Is(err, ErrRemoved):
			return Identity{}, ErrNoCard
		default:
			return identity, err
		}
		if err := sleep(ctx, pause); err != nil {
			return Identity{}, err
		}
	}
}

func lookOnce(reader string, ask func(*session) (Identity, error)) (Identity, error) {
	s, err := openSession(reader)
	if err != nil {
		if errors.Is(err, pcsc.UnsupportedCard) || errors.Is(err, pcsc.ProtocolMismatch) {
			return Identity{}, fmt.Errorf("%w: %w", ErrNotYubiKey, err)
		}
		return Identity{}, err
	}
	defer s.close()
	identity, err := ask(s)
	return identity, cause(err)
}
