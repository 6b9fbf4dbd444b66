package piv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/sleep"
)

// retrying tries again while another program holds the card, for the timeout
// of the options, and a few times after a lost contact: nothing was done yet.
func retrying[T any](ctx context.Context, options Options, try func() (T, error)) (T, error) {
	deadline := time.Now().Add(options.InUseTimeout)
	for lost := 0; ; {
		got, err := try()
		err = classify(err)
		pause := retryPause
		switch {
		case err == nil:
			return got, nil
		case errors.Is(err, ErrReset) && lost < maxLostContacts:
			pause = backoff(lost)
			lost++
		case errors.Is(err, ErrCardInUse) && time.Now().Before(deadline):
		default:
			return got, namePrograms(err)
		}
		if err := sleep.For(ctx, pause); err != nil {
			return got, err
		}
	}
}

// namePrograms adds to a *InUseError who uses smart cards now.
func namePrograms(err error) error {
	var inUse *InUseError
	if errors.As(err, &inUse) {
		return &InUseError{Reader: inUse.Reader, Programs: smartCardPrograms()}
	}
	return err
}

// findOnce opens a connection to the card. It looks first where the card was
// last, then into every reader.
func (c *Card) findOnce(ctx context.Context) (*connection, error) {
	states, err := readers()
	if err != nil {
		return nil, err
	}
	last := c.Identity().Reader
	if i := slices.IndexFunc(states, func(s pcsc.ReaderState) bool { return s.Reader == last }); i > 0 {
		states[0], states[i] = states[i], states[0]
	}
	var (
		worst  error
		others []uint32
	)
	for _, state := range states {
		if !state.Present() {
			continue
		}
		connection, serial, err := c.try(ctx, state)
		var mismatch *SerialMismatchError
		switch {
		case connection != nil:
			return connection, nil
		case errors.As(err, &mismatch):
			return nil, err
		case state.Reader == last && errors.Is(err, ErrReset):
			return nil, err // it may be there in a moment
		case worst == nil && (errors.Is(err, ErrCardInUse) || errors.Is(err, ErrReset)):
			worst = err
		case serial != 0:
			others = append(others, serial)
		}
	}
	serial := c.Identity().Serial
	switch {
	case worst != nil:
		return nil, worst
	case len(others) > 0:
		return nil, fmt.Errorf("%w: %w", ErrRemoved, &WrongCardError{Want: serial, Have: others})
	}
	return nil, fmt.Errorf("%w: card %d is not in a reader", ErrRemoved, serial)
}

// try opens a connection with the reader if the card is in it. Where another
// card is, its serial number comes back.
//
// A card that is not known to be this one is asked who it is first, because
// piv-go must not meet one without PIV. While the state of its reader is the same,
// the same card is in it.
func (c *Card) try(ctx context.Context, state pcsc.ReaderState) (*connection, uint32, error) {
	want := c.Identity().Serial
	if !sameCard(c.seen, state) {
		identity, err := ask(ctx, state.Reader)
		if err = classify(err); err != nil || identity.Serial != want {
			return nil, identity.Serial, inUseIn(state.Reader, err)
		}
	}
	c.seen = pcsc.ReaderState{}
	connection, err := openConnection(ctx, state.Reader)
	if err = classify(err); err != nil {
		return nil, 0, inUseIn(state.Reader, err)
	}
	if connection.serial != want {
		connection.close()
		return nil, 0, otherSerial(state, want, connection.serial)
	}
	c.seen = state
	c.mu.Lock()
	defer c.mu.Unlock()
	c.identity.Reader = state.Reader
	return connection, want, nil
}

// otherSerial is the error for a connection to a card that says another serial number
// in PIV than it, or the one that was in the reader before, said in the management
// application: an ErrReset where the cards were exchanged meanwhile, which the reader's
// state tells, and else a *SerialMismatchError.
func otherSerial(before pcsc.ReaderState, management, piv uint32) error {
	states, err := readers()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(states, func(now pcsc.ReaderState) bool { return sameCard(before, now) }) {
		return &SerialMismatchError{Management: management, PIV: piv}
	}
	return fmt.Errorf("%w: %w", ErrReset, &WrongCardError{Want: management, Have: []uint32{piv}})
}

// inUseIn names the reader of a card that another program holds.
func inUseIn(reader string, err error) error {
	if errors.Is(err, ErrCardInUse) {
		return &InUseError{Reader: reader}
	}
	return err
}

// sameCard reports whether what is in a reader is what was in it.
func sameCard(before, now pcsc.ReaderState) bool {
	return before.Reader == now.Reader && before.Present() == now.Present() && before.Events == now.Events && bytes.Equal(before.ATR, now.ATR)
}
