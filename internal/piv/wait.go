package piv

import (
	"context"
	"errors"
	"time"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// watchRound bounds one wait for a change, because some systems do not tell of
// a reader that was plugged in.
const watchRound = time.Second

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
