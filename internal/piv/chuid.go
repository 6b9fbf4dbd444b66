package piv

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/cse-piv/cse-piv/internal/piv/bertlv"
	"github.com/cse-piv/cse-piv/internal/piv/pcsc"
	"github.com/cse-piv/cse-piv/internal/secret"
)

// The Card Holder Unique Identifier: SP 800-73-4 part 1, appendix A, table 9.
const (
	tagFASCN      bertlv.Tag = 0x30 // 25 bytes
	tagGUID       bertlv.Tag = 0x34 // 16 bytes, RFC 4122
	tagExpiration bertlv.Tag = 0x35 // YYYYMMDD
	tagSignature  bertlv.Tag = 0x3E // the issuer's; empty in ours
)

// RefreshCHUID gives the card a new random CHUID, and a CCC where it has none.
// Windows caches a card's certificates by its CHUID, so it must change whenever
// they do. One that the card's issuer signed is not ours to replace: it opens
// doors.
//
// Errors: ErrManagementKey, ErrCardFull; ErrIssuerCHUID where nothing was changed.
func (c *Card) RefreshCHUID(ctx context.Context, managementKey secret.Secret) error {
	return c.writeCHUID(ctx, managementKey, false)
}

// EnsureCHUID gives the card a CHUID and a CCC where it has none, and leaves those that it has.
//
// Errors: ErrManagementKey, ErrCardFull.
func (c *Card) EnsureCHUID(ctx context.Context, managementKey secret.Secret) error {
	return c.writeCHUID(ctx, managementKey, true)
}

// CHUIDHash returns the SHA-256 of the CHUID's contents in lower-case hex; empty where there is none.
func (c *Card) CHUIDHash(ctx context.Context) (string, error) {
	return reading(ctx, c, "reading the CHUID", func(connection *connection) (string, error) {
		contents, err := connection.GetData(pcsc.ObjectCHUID)
		if errors.Is(err, pcsc.ErrNoObject) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(contents)
		return hex.EncodeToString(sum[:]), nil
	})
}

// HasCHUID reports whether the card has a CHUID and a CCC.
func (c *Card) HasCHUID(ctx context.Context) (bool, error) {
	return reading(ctx, c, "reading the CHUID", func(connection *connection) (bool, error) {
		for _, object := range []pcsc.Object{pcsc.ObjectCHUID, pcsc.ObjectCCC} {
			if _, err := connection.GetData(object); errors.Is(err, pcsc.ErrNoObject) {
				return false, nil
			} else if err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

func (c *Card) writeCHUID(ctx context.Context, managementKey secret.Secret, keep bool) error {
	return c.do(ctx, "renewing the CHUID", func(connection *connection) error {
		if err := connection.authenticate(managementKey); err != nil {
			return err
		}
		present, err := connection.GetData(pcsc.ObjectCHUID)
		if err != nil && !errors.Is(err, pcsc.ErrNoObject) {
			return err
		}
		if !keep || len(present) == 0 {
			if err := connection.replaceCHUID(present); err != nil {
				return err
			}
		}
		if _, err := connection.GetData(pcsc.ObjectCCC); !errors.Is(err, pcsc.ErrNoObject) {
			return err
		}
		ccc, err := newCCC()
		if err != nil {
			return err
		}
		return connection.put(pcsc.ObjectCCC, ccc)
	})
}

// replaceCHUID writes a new CHUID in the place of the present one.
func (c *connection) replaceCHUID(present []byte) error {
	if signature, err := bertlv.Find(present, tagSignature); err == nil && len(signature) > 0 {
		return ErrIssuerCHUID
	}
	chuid, err := newCHUID()
	if err != nil {
		return err
	}
	return c.put(pcsc.ObjectCHUID, chuid)
}

// put writes a data object, reads it back and compares.
func (c *connection) put(object pcsc.Object, contents []byte) error {
	if err := c.PutData(object, contents); err != nil {
		return err
	}
	stored, err := c.GetData(object)
	if err != nil {
		return fmt.Errorf("reading it back: %w", err)
	}
	if !bytes.Equal(stored, contents) {
		return fmt.Errorf("object %06X is not what was written", uint32(object))
	}
	return nil
}

// newCHUID returns a CHUID of a card that is not a federal one: the FASC-N says
// so with agency, system and credential 9999, and the GUID names the card.
func newCHUID() ([]byte, error) {
	guid := make([]byte, 16)
	if _, err := rand.Read(guid); err != nil {
		return nil, fmt.Errorf("making a GUID: %w", err)
	}
	guid[6] = guid[6]&0x0F | 0x40 // version 4
	guid[8] = guid[8]&0x3F | 0x80 // variant of RFC 4122
	// Agency 9999, system 9999, credential 999999, in the packed form of
	// SP 800-73-4 part 1 section 3.1.2 with its parity bits.
	fascn := []byte{
		0xD4, 0xE7, 0x39, 0xDA, 0x73, 0x9C, 0xED, 0x39, 0xCE, 0x73, 0x9D, 0x83, 0x68,
		0x58, 0x21, 0x08, 0x42, 0x10, 0x84, 0x21, 0xC8, 0x42, 0x10, 0xC3, 0xEB,
	}
	chuid := bertlv.Append(nil, tagFASCN, fascn...)
	chuid = bertlv.Append(chuid, tagGUID, guid...)
	chuid = bertlv.Append(chuid, tagExpiration, []byte("20500101")...)
	chuid = bertlv.Append(chuid, tagSignature)
	return bertlv.Append(chuid, tagErrorCode), nil
}

// newCCC returns a Card Capability Container (SP 800-73-4 part 1, appendix A,
// table 8) with a random card identifier.
func newCCC() ([]byte, error) {
	identifier := append([]byte{0xA0, 0x00, 0x00, 0x01, 0x16, 0xFF, 0x02}, make([]byte, 14)...)
	if _, err := rand.Read(identifier[7:]); err != nil {
		return nil, fmt.Errorf("making a card identifier: %w", err)
	}
	ccc := bertlv.Append(nil, 0xF0, identifier...)
	ccc = bertlv.Append(ccc, 0xF1, 0x21) // capability container version
	ccc = bertlv.Append(ccc, 0xF2, 0x21) // capability grammar version
	ccc = bertlv.Append(ccc, 0xF3)       // applications card URL
	ccc = bertlv.Append(ccc, 0xF4, 0x00) // PKCS#15
	ccc = bertlv.Append(ccc, 0xF5, 0x10) // registered data model
	for _, empty := range []bertlv.Tag{0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD} {
		ccc = bertlv.Append(ccc, empty)
	}
	return bertlv.Append(ccc, tagErrorCode), nil
}
