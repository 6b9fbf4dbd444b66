package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// modhex is the alphabet of the one-time passwords that a touched YubiKey types
// (Yubico, "Modified hexadecimal encoding").
const modhex = "cbdefghijklnrtuv"

// burstLength is from how many such letters in a row on no person typed them; a
// one-time password has 32 to 44.
const burstLength = 32

// burst notices what a touched YubiKey types.
type burst struct{ letters int }

// swallow counts the key press and reports whether it is the Enter at the end
// of a one-time password.
func (b *burst) swallow(msg tea.KeyPressMsg) bool {
	text := strings.ToLower(msg.Text) // it types capitals under caps lock
	if len(text) == 1 && strings.Contains(modhex, text) {
		b.letters++
		return false
	}
	typed := b.letters >= burstLength && msg.Code == tea.KeyEnter
	b.letters = 0
	return typed
}
