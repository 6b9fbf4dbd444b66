package lab

import (
	"bytes"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/lab/issued"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

// The secrets of a card that was issued elsewhere; see Options.CardFrom.
const (
	IssuedPIN = "246802"
	IssuedPUK = "13579135"
)

// IssuedManagementKey returns the management key of such a card, 24 bytes.
func IssuedManagementKey() []byte { return bytes.Repeat([]byte{0xA1, 0xB2, 0xC3}, 8) }

// issuedContents reads what an issuer put on a card; nil without a folder.
func (l *Lab) issuedContents(dir string) (*yubikey.Contents, error) {
	if dir == "" {
		return nil, nil
	}
	card, err := issued.Load(dir)
	if err != nil {
		return nil, err
	}
	if len(card.Unused) > 0 {
		l.log.line("%s: not for this card: %s", dir, strings.Join(card.Unused, ", "))
	}
	return &yubikey.Contents{
		PIN: IssuedPIN, PUK: IssuedPUK, ManagementKey: IssuedManagementKey(), Keys: card.Keys, Objects: card.Objects,
	}, nil
}

// Domain is the lab's Workspace domain.
func (l *Lab) Domain() string { return l.options.Domain }

// IssuedTo returns the addresses on the card from Options.CardFrom that are users
// of the domain.
func (l *Lab) IssuedTo() []string {
	return slices.DeleteFunc(slices.Clone(l.options.issuedTo), func(address string) bool {
		return !strings.HasSuffix(strings.ToLower(address), "@"+strings.ToLower(l.options.Domain))
	})
}
