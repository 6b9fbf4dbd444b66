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

// CheckNewPIN reports what keeps a value from being a PIN that nobody guesses: it is a
// PIN, not the factory one, and neither one character repeated nor characters that count
// up or down, as firmware 5.7 refuses them.
func CheckNewPIN(pin secret.Secret) error { return checkNew(referencePIN, pin, FactoryPIN()) }

// CheckNewPINOf is CheckNewPIN, where a PIN has to have at least so many characters.
func CheckNewPINOf(pin secret.Secret, least int) error {
	if err := CheckNewPIN(pin); err != nil {
		return err
	}
	if pin.Len() < least {
		return fmt.Errorf("a PIN has at least %d characters here: choose a longer one", least)
	}
	return nil
}

// CheckNewPUK reports the same of a PUK.
func CheckNewPUK(puk secret.Secret) error { return checkNew(referencePUK, puk, FactoryPUK()) }

func checkNew(reference string, value, factory secret.Secret) error {
	if err := checkReference(reference, value); err != nil {
		return err
	}
	raw := value.Reveal()
	defer clear(raw)
	step, even := int(raw[1])-int(raw[0]), true
	for i := range raw[1:] {
		even = even && int(raw[i+1])-int(raw[i]) == step
	}
	switch {
	case value.Equal(factory):
		return fmt.Errorf("that is the factory %s, which everybody knows: it cannot be the user's %[1]s", reference)
	case even && step == 0:
		return fmt.Errorf("one character repeated is easily guessed: choose another %s", reference)
	case even && (step == 1 || step == -1):
		return fmt.Errorf("characters that count up or down are easily guessed: choose another %s", reference)
	}
	return nil
}

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
	return c.do(ctx, "verifying the PIN", func(connection *connection) error {
		return c.verify(connection, pin)
	})
}

// verify gives the card the PIN, unless it verified this very one before on the
// same connection, as long as a try may be used.
func (c *Card) verify(connection *connection, pin secret.Secret) error {
	if !connection.pin.IsZero() && connection.pin.Equal(pin) {
		return nil
	}
	if err := c.mayTry(connection, pcsc.ReferencePIN); err != nil {
		return err
	}
	return connection.verify(pin)
}

// verify gives the card the PIN. A success leaves a counter that was full as it
// was.
func (c *connection) verify(pin secret.Secret) error {
	before, known := c.metadata[pcsc.ReferencePIN]
	delete(c.metadata, pcsc.ReferencePIN)
	c.accepted, c.pin = true, secret.Secret{}
	raw := pin.Reveal()
	defer clear(raw)
	if err := c.Applet.VerifyPIN(raw); err != nil {
		return referenceError(referencePIN, err)
	}
	c.pin = pin
	if known && before.value.Remaining == before.value.Retries {
		c.metadata[pcsc.ReferencePIN] = before
	}
	return nil
}

// mayTry reports whether the PIN or PUK may be tried. Firmware before 5.3 does
// not tell the counter of a PUK, and of a PIN that is verified says no more than
// that: its counter is full.
func (c *Card) mayTry(connection *connection, reference byte) error {
	name, blocked := referencePIN, ErrPINBlocked
	if reference == pcsc.ReferencePUK {
		name, blocked = referencePUK, ErrPUKBlocked
	}
	tries, err := connection.tries(reference)
	switch {
	case err != nil:
		return fmt.Errorf("reading the %s counter: %w", name, err)
	case tries == 0:
		return blocked
	case tries == 1 && !c.lastTry:
		return &LastTryError{Reference: name}
	}
	return nil
}

// tries returns how often the PIN or PUK may be tried, or UnknownTries.
func (c *connection) tries(reference byte) (int, error) {
	if c.firmware.hasMetadata() {
		counter, err := readCounter(c, reference)
		return counter.Tries, err
	}
	if reference != pcsc.ReferencePIN {
		return UnknownTries, nil
	}
	tries, verified, err := c.Tries()
	if verified {
		tries = UnknownTries
	}
	return tries, err
}

// ChangePIN sets a new PIN, given the old one.
//
// Errors: *WrongPINError, *LastTryError, ErrPINBlocked; ErrWeakPIN when the
// card's own rules refuse the new one.
func (c *Card) ChangePIN(ctx context.Context, old, new secret.Secret) error {
	if err := errors.Join(CheckPIN(old), CheckPIN(new)); err != nil {
		return err
	}
	return c.do(ctx, "changing the PIN", func(connection *connection) error {
		return c.change(ctx, connection, pcsc.ReferencePIN, old, new)
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
	return c.do(ctx, "changing the PUK", func(connection *connection) error {
		return c.change(ctx, connection, pcsc.ReferencePUK, old, new)
	})
}

func (c *Card) change(ctx context.Context, connection *connection, reference byte, old, new secret.Secret) error {
	call := connection.key.changePIN
	if reference == pcsc.ReferencePUK {
		call = connection.key.changePUK
	}
	return c.replace(ctx, connection, reference, call, old, new)
}

// UnblockPIN sets a new PIN, given the PUK, whether the PIN is blocked or not
// (RESET RETRY COUNTER, SP 800-73-4 part 2 section 3.2.3). A wrong PUK costs one of its
// tries; the same again with the right one does the same again.
//
// Errors: *WrongPINError and *LastTryError of the PUK, ErrPUKBlocked, ErrWeakPIN.
func (c *Card) UnblockPIN(ctx context.Context, puk, pin secret.Secret) error {
	if err := errors.Join(CheckPUK(puk), CheckPIN(pin)); err != nil {
		return err
	}
	return c.do(ctx, "unblocking the PIN", func(connection *connection) error {
		delete(connection.metadata, pcsc.ReferencePIN)
		connection.pin = secret.Secret{}
		return c.replace(ctx, connection, pcsc.ReferencePUK, connection.key.unblockPIN, puk, pin)
	})
}

// replace gives the card the PIN or PUK that reference is and a new one, if a try may be
// used.
func (c *Card) replace(ctx context.Context, connection *connection, reference byte, call func(old, new []byte) error, old, new secret.Secret) error {
	if err := c.mayTry(connection, reference); err != nil {
		return err
	}
	name := referencePUK
	if reference == pcsc.ReferencePIN {
		name, connection.pin = referencePIN, secret.Secret{}
	}
	delete(connection.metadata, reference)
	connection.accepted = true
	oldRaw, newRaw := old.Reveal(), new.Reveal()
	defer clear(oldRaw)
	defer clear(newRaw)
	_, err := within(ctx, connection, c.options.AnswerTimeout, func() (struct{}, error) {
		return struct{}{}, call(oldRaw, newRaw)
	})
	return referenceError(name, err)
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
