package piv

import (
	"context"
	"crypto"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/secret"
)

// GenerateOptions say what key is generated. Zero policies are the defaults:
// the slot's PIN policy (9C always, 9E never, others once) and no touch. A key's
// policies cannot be changed afterwards.
type GenerateOptions struct {
	Algorithm   Algorithm
	PINPolicy   PINPolicy
	TouchPolicy TouchPolicy
}

// Generate makes a key pair in the slot. A key that is there is lost for ever;
// nothing here asks. RSA 4096 can take a minute and more.
//
// Errors: ErrManagementKey, *UnsupportedError.
func (c *Card) Generate(ctx context.Context, managementKey secret.Secret, slot Slot, options GenerateOptions) (crypto.PublicKey, error) {
	if !slot.Valid() {
		return nil, fmt.Errorf("%s is not a slot", slot)
	}
	if err := Supports(c.Identity().Firmware, options.Algorithm); err != nil {
		return nil, err
	}
	pin, touch := options.PINPolicy, options.TouchPolicy
	if pin == "" || pin == PINDefault {
		pin = slot.defaultPINPolicy()
	}
	if touch == "" || touch == TouchDefault {
		touch = TouchNever
	}
	pinByte, touchByte := pin.onCard(), touch.onCard()
	if pinByte == 0 || touchByte == 0 {
		return nil, fmt.Errorf("a key with PIN policy %q and touch policy %q cannot be generated", pin, touch)
	}
	doing := fmt.Sprintf("generating a %s key in slot %s", options.Algorithm, slot)
	return with(ctx, c, doing, c.options.GenerateTimeout, nil, func(connection *connection) (crypto.PublicKey, error) {
		if err := connection.authenticate(managementKey); err != nil {
			return nil, err
		}
		connection.forget(slot)
		return connection.Generate(byte(slot), options.Algorithm.onCard(), pinByte, touchByte)
	})
}

// forget drops what is known of the slot's key, which is being replaced. The data
// objects, the slot's certificate among them, stay as they are.
func (c *connection) forget(slot Slot) {
	delete(c.metadata, byte(slot))
	delete(c.attestations, slot)
}
