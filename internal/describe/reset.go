package describe

import (
	"fmt"
	"path/filepath"

	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/maintenance"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// ResetStays says what a reset of a card leaves.
const ResetStays = "the key that attests and its certificate (slot f9) stay"

// ResetLosses says what a reset of a card loses, a sentence each: what its slots hold and whose that
// is, and which sealed records are for nothing afterwards.
func ResetLosses(losses maintenance.Losses, known []ledger.CardCertificate) []string {
	lost := []string{}
	unknown := 0
	for _, contents := range losses.Slots {
		if contents.Unknown() {
			unknown++
			continue
		}
		lost = append(lost, fmt.Sprintf("slot %s: %s%s", contents.Slot, SlotContents(contents), registeredFor(contents.Slot, known)))
	}
	if len(lost) > 0 {
		lost = append(lost, "mail that was encrypted to these keys can no longer be read with this card")
	}
	if unknown > 0 {
		lost = append(lost, fmt.Sprintf("of %d slots is not known whether they hold a key: firmware before 5.3 does not tell", unknown))
	}
	for _, record := range losses.Records {
		lost = append(lost, fmt.Sprintf("what %s holds is no longer the card's", filepath.Base(record.File)))
	}
	return lost
}

// SlotContents says what a slot holds, key and certificate.
func SlotContents(contents piv.SlotContents) string {
	return Key(contents) + "; " + slotCertificate(contents)
}

// registeredFor says for whom the ledger has what is in the slot.
func registeredFor(slot piv.Slot, known []ledger.CardCertificate) string {
	for _, one := range known {
		if one.Slot == slot.String() && one.State == ledger.CardInUse {
			return "; registered for " + one.Email
		}
	}
	return ""
}
