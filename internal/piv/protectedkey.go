package piv

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha1"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// A management key that is protected by the PIN stands on the card itself, in the object PRINTED
// (5FC109), which the card shows only to who knows the PIN: 88 { 89 key }, as Yubico's tools
// write it.
const (
	tagProtected  bertlv.Tag = 0x88
	tagStoredKey  bertlv.Tag = 0x89
	derivedRounds            = 10000 // of PBKDF2 with HMAC-SHA-1, in ykman until version 2
	derivedLength            = 24
)

// ErrNoProtectedKey is returned where no management key can be had with the PIN.
var ErrNoProtectedKey = errors.New("the card holds no management key that its PIN opens")

// ErrKeyProtected is returned for a card whose management key is protected by the PIN already:
// there is room for one, so that another one would be written over the only copy.
var ErrKeyProtected = errors.New("the management key is protected by the PIN already, and the card has room for one")

// PrintedError is returned where the object PRINTED holds something else than a management key,
// which storing one would lose. Nothing was changed.
type PrintedError struct {
	// Fields says what it holds, such as "name" and "expiration date" (SP 800-73-4 part 1,
	// appendix A, table 12); empty where that is not known.
	Fields []string
}

// Error says what is there.
func (e *PrintedError) Error() string {
	what := "other data"
	if len(e.Fields) > 0 {
		what = "the printed information (" + strings.Join(e.Fields, ", ") + ")"
	}
	return "the card keeps " + what + " where a management key protected by the PIN would stand"
}

// ProtectedManagementKey returns the management key that the PIN leads to, whether ADMIN DATA says
// so or not. It proves the PIN; whether the key is the card's, CheckManagementKey tells.
//
// Errors: ErrNoProtectedKey, and those of VerifyPIN.
func (c *Card) ProtectedManagementKey(ctx context.Context, pin secret.Secret) (secret.Secret, error) {
	if err := CheckPIN(pin); err != nil {
		return secret.Secret{}, err
	}
	return with(ctx, c, "reading the protected management key", c.options.CallTimeout, nil, func(connection *connection) (secret.Secret, error) {
		if err := c.verify(connection, pin); err != nil {
			return secret.Secret{}, err
		}
		fields, err := connection.adminData()
		if err != nil {
			return secret.Secret{}, err
		}
		if salt := saltOf(fields); salt != nil && flagsOf(fields)&flagKeyStored == 0 {
			return derivedKey(pin, salt)
		}
		printed, err := connection.printed()
		if err != nil {
			return secret.Secret{}, err
		}
		stored := storedKey(printed)
		if stored.IsZero() {
			return stored, ErrNoProtectedKey
		}
		return stored, nil
	})
}

func derivedKey(pin secret.Secret, salt []byte) (secret.Secret, error) {
	raw := pin.Reveal()
	defer clear(raw)
	key, err := pbkdf2.Key(sha1.New, string(raw), salt, derivedRounds, derivedLength)
	if err != nil {
		return secret.Secret{}, fmt.Errorf("deriving the management key: %w", err)
	}
	defer clear(key)
	return secret.New(key), nil
}

// CheckPrinted reports a *PrintedError where a management key cannot be stored without losing
// what stands in its place. It proves the PIN.
//
// Errors: *PrintedError, and those of VerifyPIN.
func (c *Card) CheckPrinted(ctx context.Context, pin secret.Secret) error {
	if err := CheckPIN(pin); err != nil {
		return err
	}
	return c.do(ctx, "reading the printed information", func(connection *connection) error {
		if err := c.verify(connection, pin); err != nil {
			return err
		}
		printed, err := connection.printed()
		if err != nil {
			return err
		}
		return foreignPrinted(printed)
	})
}

// ProtectManagementKey sets a new management key as ChangeManagementKey does, and keeps it on the
// card where the PIN leads to it, as ykman does; the same key as old is only kept there. The key
// stands on the card before it counts, and the command that makes it count is the last one that
// matters: whenever the card is pulled, the old key is the card's, or the PIN leads to the new
// one.
//
// Errors: ErrManagementKey when old is wrong, ErrKeyProtected, *PrintedError, ErrCardFull, and
// those of VerifyPIN.
func (c *Card) ProtectManagementKey(ctx context.Context, pin, old, new secret.Secret) error {
	if err := CheckPIN(pin); err != nil {
		return err
	}
	return c.do(ctx, "setting a management key protected by the PIN", func(connection *connection) error {
		algorithm, err := newKeyAlgorithm(connection.firmware, new.Len())
		if err != nil && !old.Equal(new) {
			return err
		}
		if err := connection.authenticate(old); err != nil {
			return err
		}
		if err := c.verify(connection, pin); err != nil {
			return err
		}
		printed, err := connection.printed()
		if err != nil {
			return err
		}
		if err := foreignPrinted(printed); err != nil {
			return err
		}
		if storedKey(printed).Equal(old) && !old.Equal(new) && !IsFactoryManagementKey(old) {
			return ErrKeyProtected
		}
		if err := connection.storeKey(printed, new); err != nil {
			return err
		}
		fields, err := connection.adminData()
		if err != nil {
			return err
		}
		if err := connection.putAdminData(fields, flagsOf(fields)|flagKeyStored, true); err != nil {
			return err
		}
		if !old.Equal(new) {
			if err := connection.setManagementKey(algorithm, new); err != nil {
				return err
			}
			if err := connection.authenticate(new); err != nil {
				return err
			}
		}
		if saltOf(fields) == nil {
			return nil
		}
		// Only now nobody needs it any more.
		return connection.putAdminData(fields, flagsOf(fields)|flagKeyStored, false)
	})
}

// printed reads the contents of PRINTED anew, for which the PIN must be verified; nil for none.
func (c *connection) printed() ([]byte, error) {
	delete(c.objects, pcsc.ObjectPrinted)
	contents, err := c.Applet.GetData(pcsc.ObjectPrinted)
	if errors.Is(err, pcsc.ErrNoObject) {
		return nil, nil
	}
	return contents, err
}

// storedKey returns the management key in the contents of PRINTED; zero for none.
func storedKey(printed []byte) secret.Secret {
	inner, err := bertlv.Find(printed, tagProtected)
	if err != nil {
		return secret.Secret{}
	}
	key, err := bertlv.Find(inner, tagStoredKey)
	if err != nil || !slices.Contains([]int{16, 24, 32}, len(key)) {
		return secret.Secret{}
	}
	return secret.New(key)
}

// foreignPrinted returns a *PrintedError for contents that are not those of Yubico's tools.
func foreignPrinted(printed []byte) error {
	if len(printed) == 0 {
		return nil
	}
	fields, err := bertlv.Parse(printed)
	if err == nil && len(fields) == 1 && fields[0].Tag == tagProtected {
		if _, err := bertlv.Parse(fields[0].Value); err == nil {
			return nil
		}
	}
	foreign := &PrintedError{}
	for _, field := range fields {
		if name := printedField(field.Tag); name != "" {
			foreign.Fields = append(foreign.Fields, name)
		}
	}
	return foreign
}

// printedField names a field of PRINTED (SP 800-73-4 part 1, appendix A, table 12).
func printedField(tag bertlv.Tag) string {
	switch tag {
	case 0x01:
		return "name"
	case 0x02:
		return "employee affiliation"
	case 0x04:
		return "expiration date"
	case 0x05:
		return "agency card serial number"
	case 0x06:
		return "issuer identification"
	case 0x07, 0x08:
		return "organization affiliation"
	}
	return ""
}

// storeKey puts the key into PRINTED beside what else Yubico's tools have there, and reads it
// back.
func (c *connection) storeKey(printed []byte, key secret.Secret) error {
	var others []bertlv.Element
	if inner, err := bertlv.Find(printed, tagProtected); err == nil {
		others, _ = bertlv.Parse(inner)
	}
	raw := key.Reveal()
	defer clear(raw)
	var inner []byte
	for _, other := range others {
		if other.Tag != tagStoredKey {
			inner = bertlv.Append(inner, other.Tag, other.Value...)
		}
	}
	inner = bertlv.Append(inner, tagStoredKey, raw...)
	contents := bertlv.Append(nil, tagProtected, inner...)
	defer clear(inner)
	defer clear(contents)
	if err := c.PutData(pcsc.ObjectPrinted, contents); err != nil {
		return err
	}
	back, err := c.printed()
	if err != nil {
		return fmt.Errorf("reading it back: %w", err)
	}
	if !storedKey(back).Equal(key) {
		return errors.New("the card does not hold the management key that was written")
	}
	return nil
}
