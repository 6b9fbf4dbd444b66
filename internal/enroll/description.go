package enroll

import (
	"fmt"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// describe is what Gmail keeps about the card.
func (e *enrollment) describe(key *key) string {
	return registered.Description(e.card.Identity().Model, e.request.Serial, key.Slot.String())
}

// Describes reports whether a key pair's description is of a key on the card with
// that serial number.
func Describes(description string, serial uint32) bool {
	of, _, ok := registered.ReadDescription(description)
	return ok && of == serial
}

// slotAtGmail returns which slot of the card the key pair was registered from, as
// its description tells.
func slotAtGmail(pair gmail.KeyPair, serial uint32) (piv.Slot, bool) {
	for _, description := range pair.HardwareDescriptions {
		if of, text, ok := registered.ReadDescription(description); ok && of == serial {
			slot, err := piv.ParseSlot(text)
			return slot, err == nil
		}
	}
	return 0, false
}

// cardsOf names the cards of a key pair: by their serial numbers where these are
// known, else as they are described.
func cardsOf(pair gmail.KeyPair) []string {
	var cards []string
	for _, description := range pair.HardwareDescriptions {
		card := "another card"
		if serial, _, ok := registered.ReadDescription(description); ok {
			card = "card " + serialText(serial)
		} else if description != "" {
			card += fmt.Sprintf(" (%q)", description)
		}
		cards = append(cards, card)
	}
	return cards
}
