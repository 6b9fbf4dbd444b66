package enroll

import (
	"fmt"
	"regexp"

	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// describe is what Gmail keeps about the card, for the person who reads it in a
// list years later.
func (e *enrollment) describe(key *key) string {
	return fmt.Sprintf("%s, serial %d, slot %s", e.card.Identity().Model, e.request.Serial, key.Slot)
}

// described finds the serial number and the slot in a description of ours.
var described = regexp.MustCompile(`, serial (\d+), slot (\w*)`)

// readDescription returns which key of which card a description of ours is of; empty
// for another's.
func readDescription(text string) (serial, slot string) {
	if found := described.FindStringSubmatch(text); found != nil {
		return found[1], found[2]
	}
	return "", ""
}

// Describes reports whether a key pair's description is of a key on the card with
// that serial number.
func Describes(description string, serial uint32) bool {
	of, _ := readDescription(description)
	return of == serialText(serial)
}

// slotAtGmail returns which slot of the card the key pair was registered from, as
// its description tells.
func slotAtGmail(pair gmail.KeyPair, serial uint32) (piv.Slot, bool) {
	for _, description := range pair.HardwareDescriptions {
		if of, text := readDescription(description); of == serialText(serial) {
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
		if serial, _ := readDescription(description); serial != "" {
			card = "card " + serial
		} else if description != "" {
			card += fmt.Sprintf(" (%q)", description)
		}
		cards = append(cards, card)
	}
	return cards
}
