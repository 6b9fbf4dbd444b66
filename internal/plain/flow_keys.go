package plain

import (
	"context"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// The layouts of the card's keys.
const (
	layoutSingle = "single"
	layoutSplit  = "split"
)

// askKeys asks what the keys shall be. What they are now is the first choice of
// each question.
func (f *flow) askKeys(ctx context.Context, now []enroll.KeyRequest, firmware piv.Version) ([]enroll.KeyRequest, error) {
	key, layout := now[0], layoutSingle
	if len(now) > 1 {
		key.Slot, layout = piv.SlotKeyManagement, layoutSplit
	}
	q := questions{ctx: ctx, terminal: f.Terminal}
	key.Source = enroll.Source(q.ask("where is the key from?", string(key.Source),
		enroll.Choice{ID: string(enroll.SourceGenerate), Text: "generate a new one on the card"},
		enroll.Choice{ID: string(enroll.SourceExisting), Text: "read the one that is there"}))
	layout = q.ask("how many keys?", layout,
		enroll.Choice{ID: layoutSingle, Text: "one, which signs and decrypts"},
		enroll.Choice{ID: layoutSplit, Text: "two: 9C signs, 9D decrypts"})
	if layout == layoutSingle {
		key.Slot = q.slot("which slot?", key.Slot)
	}
	if key.Source == enroll.SourceGenerate {
		key.Algorithm = piv.Algorithm(q.ask("which algorithm?", string(key.Algorithm), algorithms(firmware)...))
		key.PINPolicy = piv.PINPolicy(q.ask("when does the key ask for the PIN?", string(key.PINPolicy),
			enroll.Choice{ID: string(piv.PINDefault), Text: "as is usual for the slot"},
			enroll.Choice{ID: string(piv.PINOnce), Text: "once a session"},
			enroll.Choice{ID: string(piv.PINAlways), Text: "every time"},
			enroll.Choice{ID: string(piv.PINNever), Text: "never"}))
		key.TouchPolicy = piv.TouchPolicy(q.ask("when does the key ask for a touch?", string(key.TouchPolicy),
			enroll.Choice{ID: string(piv.TouchDefault), Text: "never, as is usual"},
			enroll.Choice{ID: string(piv.TouchAlways), Text: "every time"},
			enroll.Choice{ID: string(piv.TouchCached), Text: "once in 15 seconds"}))
	}
	return laidOut(key, layout), q.err
}

// laidOut makes one key for both uses of it, or two.
func laidOut(key enroll.KeyRequest, layout string) []enroll.KeyRequest {
	if layout == layoutSingle {
		key.Use = enroll.UseBoth
		return []enroll.KeyRequest{key}
	}
	signing, encryption := key, key
	signing.Slot, signing.Use = piv.SlotSignature, enroll.UseSign
	encryption.Slot, encryption.Use = piv.SlotKeyManagement, enroll.UseEncrypt
	return []enroll.KeyRequest{signing, encryption}
}

// questions asks several in a row, until the first error.
type questions struct {
	ctx      context.Context
	terminal *Terminal
	err      error
}

// ask has one of the choices chosen; the present one stands first.
func (q *questions) ask(text, present string, choices ...enroll.Choice) string {
	if q.err != nil {
		return present
	}
	if at := slices.IndexFunc(choices, func(c enroll.Choice) bool { return c.ID == present }); at > 0 {
		choices = slices.Insert(slices.Delete(slices.Clone(choices), at, at+1), 0, choices[at])
	}
	answer, err := q.terminal.Choose(q.ctx, enroll.Question{Text: text}, choices)
	q.err = err
	return answer
}

func (q *questions) slot(text string, present piv.Slot) piv.Slot {
	var slots []enroll.Choice
	for _, slot := range piv.Slots() {
		slots = append(slots, enroll.Choice{ID: slot.String(), Text: slotName(slot)})
	}
	if slot, err := piv.ParseSlot(q.ask(text, present.String(), slots...)); err == nil {
		return slot
	}
	return present
}

// algorithms lists what a card can generate and Gmail takes.
func algorithms(firmware piv.Version) []enroll.Choice {
	var list []enroll.Choice
	for _, algorithm := range []piv.Algorithm{piv.RSA2048, piv.RSA3072, piv.RSA4096, piv.ECCP256, piv.ECCP384} {
		if piv.Supports(firmware, algorithm) == nil {
			name := strings.NewReplacer("rsa", "RSA ", "eccp", "EC P-").Replace(string(algorithm))
			list = append(list, enroll.Choice{ID: string(algorithm), Text: name})
		}
	}
	return list
}
