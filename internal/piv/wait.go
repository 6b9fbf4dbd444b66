package piv

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// watchRound bounds one wait for a change, because some systems do not tell of
// a reader that was plugged in.
const watchRound = time.Second

// Watch yields what is in the readers, at once and after every change, until the
// context ends or the caller stops. Cards are asked who they are only after a
// change, so that others who use them are left alone.
//
// While the smart card service is away its error is yielded, once for each kind
// of error; ErrNoPCSC and ErrAccessDenied end the watch.
func Watch(ctx context.Context) iter.Seq2[[]Found, error] {
	return func(yield func([]Found, error) bool) {
		last := "nothing seen yet"
		for ctx.Err() == nil {
			seen, found, err := watchOnce(ctx, last)
			if ctx.Err() != nil || (seen != last && !yield(found, err)) {
				return
			}
			if errors.Is(err, ErrNoPCSC) || errors.Is(err, ErrAccessDenied) {
				return
			}
			if last = seen; unsettled(found) {
				last = "to be looked at again"
			}
			if awaitChange(ctx) != nil {
				return
			}
		}
	}
}

// watchOnce returns a mark of what is in the readers and, where it is not the
// last one, a look at it.
func watchOnce(ctx context.Context, last string) (mark string, found []Found, err error) {
	states, err := run(ctx, newLane(), callLimit, nil, readers)
	if err != nil {
		return err.Error(), nil, fmt.Errorf("watching the readers: %w", err)
	}
	var seen strings.Builder
	for _, state := range states {
		fmt.Fprintf(&seen, "%q %t %d %x\n", state.Reader, state.Present(), state.Events, state.ATR)
	}
	if seen.String() == last {
		return last, nil, nil
	}
	found, err = List(ctx)
	if err != nil {
		return err.Error(), nil, err
	}
	return seen.String(), found, nil
}

// unsettled reports whether a card did not say who it is, and may do so soon.
func unsettled(found []Found) bool {
	for _, f := range found {
		if f.Err != nil && !errors.Is(f.Err, ErrNoCard) && !errors.Is(f.Err, ErrNotYubiKey) {
			return true
		}
	}
	return false
}

// Wait returns when the card with that serial number is in a reader and answers;
// 0 stands for any YubiKey. It ends with the context, ErrNoPCSC or
// ErrAccessDenied, and outlasts a smart card service that comes and goes.
func Wait(ctx context.Context, serial uint32) error {
	for {
		found, err := run(ctx, newLane(), callLimit, nil, func() ([]Found, error) { return list(ctx, recognise) })
		if err != nil && (errors.Is(err, ErrNoPCSC) || errors.Is(err, ErrAccessDenied) || ctx.Err() != nil) {
			return err
		}
		for _, f := range found {
			if f.Err == nil && (serial == 0 || f.Identity.Serial == serial) {
				return nil
			}
		}
		if err := awaitChange(ctx); err != nil {
			return err
		}
	}
}

// awaitChange returns after a reader changed, or after a while.
func awaitChange(ctx context.Context) error {
	service, err := pcsc.Establish()
	if err != nil {
		return sleep(ctx, heldPause)
	}
	defer service.Release()
	states, err := readerStates(service)
	if err != nil {
		return sleep(ctx, heldPause)
	}
	if err := service.Watch(ctx, states, watchRound); err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return nil
}
