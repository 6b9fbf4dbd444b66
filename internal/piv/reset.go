package piv

import (
	"context"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// maxTries is more than a card has tries of a PIN or PUK.
const maxTries = 256

// Reset brings the card's PIV application back to as it left the factory: every key and certificate
// is lost for ever, but for the one that attests (slot f9). Nothing here asks. The card does it only
// where PIN and PUK are blocked, so they are blocked first; the same again goes on where it ended.
func (c *Card) Reset(ctx context.Context) error {
	return c.do(ctx, "resetting the card", func(connection *connection) error {
		connection.pin = secret.Secret{}
		if err := block(referencePIN, connection.MissPIN); err != nil {
			return err
		}
		if err := block(referencePUK, connection.MissPUK); err != nil {
			return err
		}
		connection.forgetAll()
		return connection.Applet.Reset()
	})
}

// block gives the card what cannot be its PIN or PUK until that is blocked.
func block(reference string, miss func() error) error {
	for range maxTries {
		err := miss()
		status, answered := statusOf(err)
		if !answered {
			return fmt.Errorf("blocking the %s: %w", reference, err)
		}
		tries, counts := status.Tries()
		switch {
		case !counts:
			return fmt.Errorf("blocking the %s: %w", reference, err)
		case tries == 0:
			return nil
		}
	}
	return fmt.Errorf("%w: its %s cannot be blocked", ErrBroken, reference)
}

// forgetAll drops everything that is known of what the card holds.
func (c *connection) forgetAll() {
	clear(c.metadata)
	clear(c.objects)
	clear(c.attestations)
	c.pin, c.managementKey = secret.Secret{}, secret.Secret{}
}

// SetRetries sets how many tries PIN and PUK have, 1 to 255 each, which sets both to their factory
// values. It proves the PIN.
//
// Errors: ErrManagementKey, and those of VerifyPIN.
func (c *Card) SetRetries(ctx context.Context, managementKey, pin secret.Secret, pinTries, pukTries int) error {
	for _, tries := range []int{pinTries, pukTries} {
		if tries < 1 || tries > 255 {
			return fmt.Errorf("a PIN or PUK has 1 to 255 tries, not %d", tries)
		}
	}
	if err := CheckPIN(pin); err != nil {
		return err
	}
	return c.do(ctx, "setting the numbers of tries", func(connection *connection) error {
		if err := connection.authenticate(managementKey); err != nil {
			return err
		}
		if err := c.verify(connection, pin); err != nil {
			return err
		}
		delete(connection.metadata, pcsc.ReferencePIN)
		delete(connection.metadata, pcsc.ReferencePUK)
		connection.pin = secret.Secret{}
		return connection.Applet.SetRetries(byte(pinTries), byte(pukTries))
	})
}
