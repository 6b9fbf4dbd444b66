package enrollcmd

import (
	"slices"
	"testing"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// TestFormerCards: which cards another one takes the place of.
func TestFormerCards(t *testing.T) {
	pair := func(id string, serial uint32, email string, enabled bool) gmail.KeyPair {
		return gmail.KeyPair{ID: id, Enabled: enabled, Emails: []string{email}, HardwareDescriptions: []string{registered.Description("YubiKey 5 NFC", serial, "9d")}}
	}
	const before, now = "ada.king@example.com", "ada.lovelace@example.com"
	state := registered.State{KeyPairs: []gmail.KeyPair{
		pair("a", 1, before, true), pair("b", 2, before, true), pair("c", 3, now, true), pair("d", 4, before, false),
		{ID: "e", Enabled: true, KeyServices: []string{"https://kacls.example"}},
	}}
	split := &gmail.Identity{SigningKeyPairID: "a", EncryptionKeyPairID: "b"}
	for name, test := range map[string]struct{ got, want []uint32 }{
		"no identity":               {otherSerials(state, nil, 3), nil},
		"both cards of an identity": {otherSerials(state, split, 3), []uint32{1, 2}},
		"but for the new one":       {otherSerials(state, split, 2), []uint32{1}},
		"a key service's":           {otherSerials(state, &gmail.Identity{PrimaryKeyPairID: "e"}, 3), nil},
		"a former name's":           {serialsOfOtherNames(state, "Ada.Lovelace@example.com", 2), []uint32{1}},
		"nobody else's name":        {serialsOfOtherNames(state, before, 1), []uint32{3}},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("%s: %v, want %v", name, test.got, test.want)
		}
	}
}
