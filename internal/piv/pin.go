package piv

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/secret"
)

const (
	referencePIN = "PIN"
	referencePUK = "PUK"
)

// CheckPIN reports what keeps a value from being a PIN: it has 6 to 8 printable
// ASCII characters.
func CheckPIN(pin secret.Secret) error { return checkReference(referencePIN, pin) }

// CheckPUK reports what keeps a value from being a PUK: it has 6 to 8 printable
// ASCII characters.
func CheckPUK(puk secret.Secret) error { return checkReference(referencePUK, puk) }

func checkReference(reference string, value secret.Secret) error {
	raw := value.Reveal()
	defer clear(raw)
	for _, b := range raw {
		if b < ' ' || b > '~' {
			return fmt.Errorf("a %s has ASCII characters only: letters without accents, digits and signs", reference)
		}
	}
	if len(raw) < 6 || len(raw) > 8 {
		return fmt.Errorf("a %s has 6 to 8 characters", reference)
	}
	return nil
}

// VerifyPIN proves that the PIN is right. It reads the counter first.
//
// Errors: *WrongPINError, *LastTryError, ErrPINBlocked.
func (c *Card) VerifyPIN(ctx context.Context, pin secret.Secret) error {
	if err := CheckPIN(pin); err != nil {
		return err
	}
	return c.withKey(ctx, "verifying the PIN", func(key yubikey) error {
		return c.verify(key, pin)
	})
}

// verify reads the counter and gives the card the PIN.
func (c *Card) verify(key yubikey, pin secret.Secret) error {
	if err := c.mayTry(key); err != nil {
		return err
	}
	raw := pin.Reveal()
	defer clear(raw)
	return referenceError(referencePIN, key.verifyPIN(raw))
}

// mayTry reports whether the PIN may be tried. Where it is verified already, the
// counter is full.
func (c *Card) mayTry(key yubikey) error {
	tries, verified, err := key.pinTries()
	switch {
	case err != nil:
		return fmt.Errorf("reading the PIN counter: %w", err)
	case verified:
		return nil
	case tries == 0:
		return ErrPINBlocked
	case tries == 1 && !c.lastTry:
		return &LastTryError{Reference: referencePIN}
	}
	return nil
}

// ChangePIN sets a new PIN, given the old one.
//
// Errors: *WrongPINError, *LastTryError, ErrPINBlocked; ErrWeakPIN when the
// card's own rules refuse the new one.
func (c *Card) ChangePIN(ctx context.Context, old, new secret.Secret) error {
	if err := errors.Join(CheckPIN(old), CheckPIN(new)); err != nil {
		return err
	}
	return c.withKey(ctx, "changing the PIN", func(key yubikey) error {
		if err := c.mayTry(key); err != nil {
			return err
		}
		oldRaw, newRaw := old.Reveal(), new.Reveal()
		defer clear(oldRaw)
		defer clear(newRaw)
		return referenceError(referencePIN, key.changePIN(oldRaw, newRaw))
	})
}

// ChangePUK sets a new PUK, given the old one. The PUK's counter can be read
// from firmware 5.3; before, only a wrong PUK tells.
//
// Errors: *WrongPINError, *LastTryError, ErrPUKBlocked, ErrWeakPIN.
func (c *Card) ChangePUK(ctx context.Context, old, new secret.Secret) error {
	if err := errors.Join(CheckPUK(old), CheckPUK(new)); err != nil {
		return err
	}
	if c.Identity().Firmware.hasMetadata() {
		if err := c.mayTryPUK(ctx); err != nil {
			return fmt.Errorf("changing the PUK: %w", err)
		}
	}
	return c.withKey(ctx, "changing the PUK", func(key yubikey) error {
		oldRaw, newRaw := old.Reveal(), new.Reveal()
		defer clear(oldRaw)
		defer clear(newRaw)
		return referenceError(referencePUK, key.changePUK(oldRaw, newRaw))
	})
}

func (c *Card) mayTryPUK(ctx context.Context) error {
	counter, err := withSession(ctx, c, "reading the PUK counter", func(s *session) (Counter, error) {
		return readCounter(s, pcsc.ReferencePUK)
	})
	switch {
	case err != nil:
		return err
	case counter.Tries == 0:
		return ErrPUKBlocked
	case counter.Tries == 1 && !c.lastTry:
		return &LastTryError{Reference: referencePUK}
	}
	return nil
}

// referenceError translates what a card answers to a PIN or PUK.
func referenceError(reference string, err error) error {
	status, ok := statusOf(err)
	if err == nil || !ok {
		return err
	}
	if tries, ok := status.Tries(); ok {
		switch {
		case tries > 0:
			return &WrongPINError{Reference: reference, Tries: tries}
		case reference == referencePUK:
			return ErrPUKBlocked
		default:
			return ErrPINBlocked
		}
	}
	if status == pcsc.ConditionsNotMet {
		return fmt.Errorf("%w: %w", ErrWeakPIN, err)
	}
	return err
}
