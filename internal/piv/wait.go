package piv

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/sleep"
)

// watchRound bounds one wait for a change, because some systems do not tell of
// a reader that was plugged in.
const watchRound = time.Second

// Watch yields what is in the readers, at once and after every change, until the
// context ends or the caller stops. A card is asked who it is when it comes, and
// again while it does not say; others are left alone.
//
// While the smart card service is away its error is yielded, once for each kind
// of error; ErrNoPCSC and ErrAccessDenied end the watch.
func Watch(ctx context.Context) iter.Seq2[[]Found, error] {
	return func(yield func([]Found, error) bool) {
		var (
			found   []Found
			trouble error
		)
		for first := true; ctx.Err() == nil; first = false {
			now, err := listing(ctx, found)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				err = fmt.Errorf("watching the readers: %w", err)
			}
			changed := first || !slices.EqualFunc(found, now, sameFound) || !sameText(err, trouble)
			if found, trouble = now, err; changed && !yield(found, err) {
				return
			}
			if errors.Is(err, ErrNoPCSC) || errors.Is(err, ErrAccessDenied) || awaitChange(ctx, found) != nil {
				return
			}
		}
	}
}

// sameFound reports whether nothing happened in a reader, not even the removal of
// a card that is back.
func sameFound(a, b Found) bool {
	return sameCard(a.state, b.state) && a.Identity == b.Identity && sameText(a.Err, b.Err)
}

func sameText(a, b error) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Error() == b.Error()
}

// Wait returns when the card with that serial number is in a reader and answers;
// 0 stands for any YubiKey. It ends with the context, ErrNoPCSC or
// ErrAccessDenied, and outlasts a smart card service that comes and goes. Cards
// are asked as Watch asks them.
func Wait(ctx context.Context, serial uint32) error {
	var found []Found
	for {
		var err error
		found, err = listing(ctx, found)
		if err != nil && (errors.Is(err, ErrNoPCSC) || errors.Is(err, ErrAccessDenied) || ctx.Err() != nil) {
			return err
		}
		for _, f := range found {
			if f.Err == nil && (serial == 0 || f.Identity.Serial == serial) {
				return nil
			}
		}
		if err := awaitChange(ctx, found); err != nil {
			return err
		}
	}
}

// awaitChange returns after a reader is no longer as it was found, or after a
// while.
func awaitChange(ctx context.Context, found []Found) error {
	service, err := pcsc.Establish()
	if err != nil {
		return sleep.For(ctx, retryPause)
	}
	defer service.Release()
	states := make([]pcsc.ReaderState, len(found))
	for i, f := range found {
		states[i] = f.state
	}
	if err := service.Watch(ctx, states, watchRound); err != nil {
		return sleep.For(ctx, retryPause)
	}
	return nil
}
