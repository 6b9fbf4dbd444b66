package piv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/sleep"
)

// Found is a reader and what is in it.
type Found struct {
	Reader   string
	Identity Identity // zero where Err is set
	Err      error    // ErrNoCard, ErrNotYubiKey, ErrNoSerial, ErrCardInUse, or what else went wrong
	state    pcsc.ReaderState
}

// isFinal reports whether asking again would bring nothing new while the reader
// is the same.
func (f Found) isFinal() bool {
	return f.Err == nil || errors.Is(f.Err, ErrNoCard) || errors.Is(f.Err, ErrNotYubiKey) || errors.Is(f.Err, ErrNoSerial)
}

// How long and how often the package tries again by itself.
const (
	callLimit       = 30 * time.Second
	inUseTimeout    = 4 * time.Second
	retryPause      = 100 * time.Millisecond
	briefUse        = 500 * time.Millisecond // another program that only looked
	maxLostContacts = 3
)

// List looks into every reader. It returns an error only when PC/SC itself
// fails: ErrNoPCSC, ErrNoService, ErrServiceFailed, ErrAccessDenied. A call into a driver that
// hangs is left behind when ctx ends, and closes what it opened when it returns.
func List(ctx context.Context) ([]Found, error) { return listing(ctx, nil) }

// listing is list in a goroutine of its own, for calls that hang.
func listing(ctx context.Context, before []Found) ([]Found, error) {
	return run(ctx, newLock(), callLimit, nil, func() ([]Found, error) { return list(ctx, before) })
}

// list looks into every reader. What was found before in a reader that did not
// change since is taken over, without a command to the card.
func list(ctx context.Context, before []Found) ([]Found, error) {
	states, err := readers()
	if err != nil {
		return nil, fmt.Errorf("listing readers: %w", err)
	}
	found := make([]Found, len(states))
	for i, state := range states {
		found[i] = Found{Reader: state.Reader, Err: ErrNoCard, state: state}
		known := slices.IndexFunc(before, func(f Found) bool { return sameCard(f.state, state) && f.isFinal() })
		switch {
		case known >= 0:
			found[i].Identity, found[i].Err = before[known].Identity, before[known].Err
		case state.Present():
			found[i].Identity, found[i].Err = look(ctx, state.Reader)
		}
	}
	return found, ctx.Err()
}

// look asks the card in a reader who it is, again after a glitch or while it is
// in use for a moment.
func look(ctx context.Context, reader string) (Identity, error) {
	deadline := time.Now().Add(briefUse)
	for lost := 0; ; {
		identity, err := ask(ctx, reader)
		err = classify(err)
		pause := retryPause
		switch {
		case (errors.Is(err, ErrReset) || errors.Is(err, ErrRemoved)) && lost < maxLostContacts:
			// A loose contact looks like a card that is gone for a moment.
			pause = backoff(lost)
			lost++
		case errors.Is(err, ErrCardInUse) && time.Now().Before(deadline):
		case errors.Is(err, ErrCardInUse):
			return Identity{}, &InUseError{Reader: reader, Programs: smartCardPrograms()}
		case errors.Is(err, ErrRemoved):
			return Identity{}, ErrNoCard
		default:
			return identity, err
		}
		if err := sleep.For(ctx, pause); err != nil {
			return Identity{}, err
		}
	}
}

// readers returns the current state of every reader.
func readers() ([]pcsc.ReaderState, error) {
	service, err := pcsc.Establish()
	if err != nil {
		return nil, classify(err)
	}
	defer service.Release()
	names, err := service.Readers()
	if err != nil || len(names) == 0 {
		return nil, classify(err)
	}
	states := make([]pcsc.ReaderState, len(names))
	for i, name := range names {
		states[i].Reader = name
	}
	err = service.StatusChange(states, 0)
	switch {
	case errors.Is(err, pcsc.Timeout):
		return states, nil
	case errors.Is(err, pcsc.UnknownReader), errors.Is(err, pcsc.NoReaders):
		return nil, nil // unplugged in between; the next look sees what is left
	}
	return states, classify(err)
}
