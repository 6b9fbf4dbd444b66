package desk

import (
	"github.com/cse-piv/cse-piv/internal/piv"
)

// CardStatus is what is on a card.
type CardStatus struct {
	Identity piv.Identity
	Status   piv.Status
	// FormFactor is the card's case, such as "USB-C keychain"; empty where the
	// card does not tell.
	FormFactor string
	// Advisories are published weaknesses of the card's firmware, a sentence each.
	Advisories []string
}
