package piv

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// deletedKey is where MOVE KEY moves a key to that is deleted (Yubico PIV extensions, 5.7).
const deletedKey = 0xFF

// ClearSlot deletes the slot's key, where the firmware can (5.7), and its certificate, and looks that
// they are gone. Both are lost; nothing here asks. What is gone already stays so, and the certificate
// goes last, so that what was stopped can be found again by it.
//
// Errors: ErrManagementKey.
func (c *Card) ClearSlot(ctx context.Context, managementKey secret.Secret, slot Slot) error {
	if !slot.Valid() {
		return fmt.Errorf("%s is not a slot", slot)
	}
	return c.do(ctx, "clearing slot "+slot.String(), func(connection *connection) error {
		if err := connection.authenticate(managementKey); err != nil {
			return err
		}
		if c.Identity().Firmware.MovesKeys() {
			if err := connection.deleteKey(slot); err != nil {
				return err
			}
		}
		return connection.deleteCertificate(slot)
	})
}

// DeleteCertificate deletes the slot's certificate, and looks that it is gone; its key stays. One that
// is gone already stays so.
//
// Errors: ErrManagementKey.
func (c *Card) DeleteCertificate(ctx context.Context, managementKey secret.Secret, slot Slot) error {
	if !slot.Valid() {
		return fmt.Errorf("%s is not a slot", slot)
	}
	return c.do(ctx, "deleting the certificate in slot "+slot.String(), func(connection *connection) error {
		if err := connection.authenticate(managementKey); err != nil {
			return err
		}
		return connection.deleteCertificate(slot)
	})
}

func (c *connection) deleteCertificate(slot Slot) error {
	c.forget(slot)
	if err := c.PutData(slot.object(), nil); err != nil {
		return err
	}
	if _, err := c.GetData(slot.object()); !errors.Is(err, pcsc.ErrNoObject) {
		return errors.Join(err, fmt.Errorf("the certificate in slot %s is not gone", slot))
	}
	return nil
}

// deleteKey deletes the slot's key, if there is one.
func (c *connection) deleteKey(slot Slot) error {
	key, err := readKey(c, slot)
	if err != nil || key == nil {
		return err
	}
	c.forget(slot)
	if err := c.MoveKey(byte(slot), deletedKey); err != nil {
		return err
	}
	if key, err = readKey(c, slot); err == nil && key != nil {
		err = fmt.Errorf("the key in slot %s is not gone", slot)
	}
	return err
}
