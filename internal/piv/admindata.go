package piv

import (
	"context"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
)

// Tags of the object ADMIN DATA, as Yubico's tools write it: 80 { 81 flags, 82 salt,
// 83 time of the last change of the PIN }.
const (
	tagAdminData bertlv.Tag = 0x80
	tagFlags     bertlv.Tag = 0x81
	tagSalt      bertlv.Tag = 0x82

	flagPUKBlocked = 0x01
	flagKeyStored  = 0x02
)

// AdminData is what Yubico's tools note on a card for each other (object 5FFF00), which can be
// read without a PIN. It is a note, and may be wrong.
type AdminData struct {
	KeyStored  bool // the management key stands in the object PRINTED, which the PIN opens
	KeyDerived bool // the management key is derived from the PIN, as ykman did until version 2
	PUKBlocked bool // the PUK was blocked, as Yubico's minidriver for Windows does to a factory one
}

// PINProtected reports whether the PIN alone leads to the management key.
func (a AdminData) PINProtected() bool { return a.KeyStored || a.KeyDerived }

// AdminData reads the note. A card without one, or with one that cannot be read, has a zero
// one.
func (c *Card) AdminData(ctx context.Context) (AdminData, error) {
	return reading(ctx, c, "reading ADMIN DATA", func(connection *connection) (AdminData, error) {
		fields, err := connection.adminData()
		if err != nil {
			return AdminData{}, err
		}
		flags := flagsOf(fields)
		return AdminData{KeyStored: flags&flagKeyStored != 0, KeyDerived: saltOf(fields) != nil, PUKBlocked: flags&flagPUKBlocked != 0}, nil
	})
}

// adminData returns the fields of ADMIN DATA, none where there are none that can be read.
func (c *connection) adminData() ([]bertlv.Element, error) {
	contents, err := c.GetData(pcsc.ObjectAdminData)
	switch {
	case errors.Is(err, pcsc.ErrNoObject), errors.Is(err, bertlv.ErrMalformed), errors.Is(err, bertlv.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	inner, err := bertlv.Find(contents, tagAdminData)
	if err != nil {
		return nil, nil
	}
	fields, err := bertlv.Parse(inner)
	if err != nil {
		return nil, nil
	}
	return fields, nil
}

func flagsOf(fields []bertlv.Element) byte {
	for _, field := range fields {
		if field.Tag == tagFlags && len(field.Value) == 1 {
			return field.Value[0]
		}
	}
	return 0
}

// saltOf returns the salt that a management key is derived with; nil where none is.
func saltOf(fields []bertlv.Element) []byte {
	for _, field := range fields {
		if field.Tag == tagSalt && len(field.Value) > 0 {
			return field.Value
		}
	}
	return nil
}

// putAdminData writes ADMIN DATA with other flags; what else stands in it stays, but for the
// salt where that is to go.
func (c *connection) putAdminData(fields []bertlv.Element, flags byte, keepSalt bool) error {
	inner := bertlv.Append(nil, tagFlags, flags)
	for _, field := range fields {
		if field.Tag != tagFlags && (keepSalt || field.Tag != tagSalt) {
			inner = bertlv.Append(inner, field.Tag, field.Value...)
		}
	}
	if err := c.put(pcsc.ObjectAdminData, bertlv.Append(nil, tagAdminData, inner...)); err != nil {
		return fmt.Errorf("noting that the management key is protected by the PIN: %w", err)
	}
	return nil
}
