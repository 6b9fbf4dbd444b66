package piv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// place is where the card was seen last: while the reader's state is the same,
// the same card is in it.
type place pcsc.ReaderState

func (p place) holds(states []pcsc.ReaderState) bool {
	return slices.ContainsFunc(states, func(s pcsc.ReaderState) bool {
		return s.Reader == p.Reader && s.Present() && s.Events == p.Events && bytes.Equal(s.ATR, p.ATR)
	})
}

// open finds the card and opens a session of our own with it.
func (c *Card) open(ctx context.Context) (*session, error) {
	return patiently(ctx, c.options, c.findOnce)
}

// hold finds the card and opens it through piv-go. That must not meet a card
// without PIV, on which piv-go would keep its exclusive connection for good; so
// unless the reader's state shows that the same card is still in it, a session
// of our own looks first.
func (c *Card) hold(ctx context.Context) (yubikey, error) {
	return patiently(ctx, c.options, c.holdOnce)
}

// patiently tries again while another program holds the card, for the patience
// of the options, and a few times after a lost contact: nothing was done yet.
func patiently[T any](ctx context.Context, options Options, try func() (T, error)) (T, error) {
	patience := time.Now().Add(options.HeldPatience)
	for glitches := 0; ; {
		got, err := try()
		err = cause(err)
		pause := heldPause
		switch {
		case err == nil:
			return got, nil
		case errors.Is(err, ErrReset) && glitches < maxGlitches:
			pause = settling(glitches)
			glitches++
		case errors.Is(err, ErrCardHeld) && time.Now().Before(patience):
		default:
			return got, nameHolders(err)
		}
		if err := sleep(ctx, pause); err != nil {
			return got, err
		}
	}
}

// nameHolders adds to a *HeldError who uses smart cards now.
func nameHolders(err error) error {
	var held *HeldError
	if errors.As(err, &held) {
		return &HeldError{Reader: held.Reader, Programs: smartCardPrograms()}
	}
	return err
}

// findOnce looks first where the card was last, then into every reader.
func (c *Card) findOnce() (*session, error) {
	serial, last := c.Identity().Serial, c.Identity().Reader
	s, have, err := c.try(last)
	if s != nil || errors.Is(err, ErrNoPCSC) || errors.Is(err, ErrNoService) || errors.Is(err, ErrReset) {
		return s, err
	}
	states, listErr := readers()
	if listErr != nil {
		return nil, listErr
	}
	worst := heldOnly(err)
	others := []uint32{have}
	for _, state := range states {
		if state.Reader == last || !state.Present() {
			continue
		}
		s, have, err := c.try(state.Reader)
		if s != nil {
			return s, nil
		}
		others = append(others, have)
		if worst == nil && (errors.Is(err, ErrCardHeld) || errors.Is(err, ErrReset)) {
			worst = err
		}
	}
	others = slices.DeleteFunc(others, func(n uint32) bool { return n == 0 })
	switch {
	case worst != nil:
		return nil, worst
	case len(others) > 0:
		return nil, fmt.Errorf("%w: %w", ErrRemoved, &WrongCardError{Want: serial, Have: others})
	}
	return nil, fmt.Errorf("%w: card %d is not in a reader", ErrRemoved, serial)
}

func heldOnly(err error) error {
	if errors.Is(err, ErrCardHeld) {
		return err
	}
	return nil
}

// try opens a session with the reader if the card is in it. Where another card
// is, its serial number comes back.
func (c *Card) try(reader string) (*session, uint32, error) {
	identity := c.Identity()
	s, err := openSession(reader)
	if errors.Is(err, ErrCardHeld) {
		return nil, 0, &HeldError{Reader: reader}
	}
	if err != nil {
		return nil, 0, err
	}
	serial, err := s.Serial(byte(identity.Firmware.Major))
	if err != nil || serial != identity.Serial {
		s.close()
		return nil, serial, cause(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.identity.Reader, c.place = reader, place(s.reader)
	return s, serial, nil
}

func (c *Card) holdOnce() (yubikey, error) {
	states, err := readers()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	known := c.place.holds(states)
	c.mu.Unlock()
	if !known {
		s, err := c.findOnce()
		if err != nil {
			return nil, err
		}
		s.close()
	}
	identity := c.Identity()
	key, err := openYubiKey(identity.Reader)
	if err == nil {
		var serial uint32
		serial, err = key.serial()
		if err == nil && serial == identity.Serial {
			return key, nil
		}
		key.close()
		if err == nil {
			err = fmt.Errorf("%w: %w", ErrReset, &WrongCardError{Want: identity.Serial, Have: []uint32{serial}})
		}
	}
	c.mu.Lock()
	c.place = place{}
	c.mu.Unlock()
	if err = cause(err); errors.Is(err, ErrCardHeld) {
		return nil, &HeldError{Reader: identity.Reader}
	}
	return nil, err
}
