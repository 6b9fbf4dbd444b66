package piv

import (
	"context"
	"crypto"
	"errors"
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

// errNotFound is piv-go's answer for what is not on the card.
var errNotFound = errors.New("not on the card")

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
	doing := fmt.Sprintf("generating a %s key in slot %s", options.Algorithm, slot)
	return withKey(ctx, c, doing, c.options.GenerateTimeout, nil, func(key yubikey) (crypto.PublicKey, error) {
		c.forget(slot)
		raw := managementKey.Reveal()
		defer clear(raw)
		return key.generate(raw, slot, options)
	})
}
