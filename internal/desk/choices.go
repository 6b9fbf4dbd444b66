package desk

import (
	"strings"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// What a person can choose for a plan. The IDs are words of the command line.

// Sources lists where a key can come from.
func Sources() []enroll.Choice {
	return []enroll.Choice{
		{ID: string(enroll.SourceGenerate), Text: "generate a new one on the card"},
		{ID: string(enroll.SourceExisting), Text: "use the existing key and certificate"},
	}
}

// SourceReplace is the choice of a new key where the person is enrolled with
// another, or was begun with one.
const SourceReplace = "replace"

// The choices of a renewal, for somebody who is enrolled with the card.
const (
	SourceRenew     = "renew"
	SourceRenewSame = "renew-same"
)

// SourcesFor lists where a key can come from: of somebody who has one of their
// own on the card, also a renewal, and a new one in its place.
func SourcesFor(own []string) []enroll.Choice {
	if len(own) == 0 {
		return Sources()
	}
	return append(Sources(), enroll.Choice{ID: SourceReplace, Text: "generate a new one in place of the enrolled one"},
		enroll.Choice{ID: SourceRenew, Text: "renew: a new one; the old one for old mail"},
		enroll.Choice{ID: SourceRenewSame, Text: "renew: a new certificate for the same key"})
}

// Layouts lists how many keys there can be.
func Layouts() []enroll.Choice {
	return []enroll.Choice{
		{ID: string(enroll.LayoutSingle), Text: "one key signs and decrypts"},
		{ID: string(enroll.LayoutSplit), Text: "split: 9C signs, 9D decrypts"},
	}
}

// Slots lists the slots for a single key, the usual one first.
func Slots() []enroll.Choice {
	choices := []enroll.Choice{slotChoice(piv.SlotKeyManagement)}
	for _, slot := range piv.Slots() {
		if slot != piv.SlotKeyManagement {
			choices = append(choices, slotChoice(slot))
		}
	}
	return choices
}

func slotChoice(slot piv.Slot) enroll.Choice {
	return enroll.Choice{ID: slot.String(), Text: describe.SlotName(slot)}
}

// Algorithms lists the kinds of key that a card with that firmware can generate
// and Gmail takes.
func Algorithms(firmware piv.Version) []enroll.Choice {
	names := strings.NewReplacer("rsa", "RSA ", "eccp", "EC P-")
	var choices []enroll.Choice
	for _, algorithm := range enroll.Algorithms(firmware) {
		choices = append(choices, enroll.Choice{ID: string(algorithm), Text: names.Replace(string(algorithm))})
	}
	return choices
}

// PINPolicies lists when a key can ask for the PIN.
func PINPolicies() []enroll.Choice {
	return []enroll.Choice{
		{ID: string(piv.PINDefault), Text: "default (9D: once per session)"},
		{ID: string(piv.PINOnce), Text: "once a session"},
		{ID: string(piv.PINAlways), Text: "every time"},
		{ID: string(piv.PINNever), Text: "never"},
	}
}

// TouchPolicies lists when a key can ask for a touch.
func TouchPolicies() []enroll.Choice {
	return []enroll.Choice{
		{ID: string(piv.TouchDefault), Text: "default (never)"},
		{ID: string(piv.TouchAlways), Text: "every time"},
		{ID: string(piv.TouchCached), Text: "once in 15 seconds"},
	}
}
