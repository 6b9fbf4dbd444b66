package plain

import (
	"context"
	"slices"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// askKeys asks what the keys shall be. What they are now is the first choice of
// each question.
func (f *flow) askKeys(ctx context.Context, now []enroll.KeyRequest, firmware piv.Version) ([]enroll.KeyRequest, error) {
	layout, key := enroll.LayoutOf(now)
	q := questions{ctx: ctx, terminal: f.Terminal}
	key.Source = enroll.Source(q.ask("where is the key from?", string(key.Source), desk.Sources()))
	layout = enroll.Layout(q.ask("how many keys?", string(layout), desk.Layouts()))
	if layout == enroll.LayoutSingle {
		slot, err := piv.ParseSlot(q.ask("which slot?", key.Slot.String(), desk.Slots()))
		if err != nil {
			return nil, err
		}
		key.Slot = slot
	}
	if key.Source == enroll.SourceGenerate {
		key.Algorithm = piv.Algorithm(q.ask("which algorithm?", string(key.Algorithm), desk.Algorithms(firmware)))
		key.PINPolicy = piv.PINPolicy(q.ask("when does the key ask for the PIN?", string(key.PINPolicy), desk.PINPolicies()))
		key.TouchPolicy = piv.TouchPolicy(q.ask("when does the key ask for a touch?", string(key.TouchPolicy), desk.TouchPolicies()))
	}
	return layout.Keys(key), q.err
}

// questions asks several in a row, until the first error.
type questions struct {
	ctx      context.Context
	terminal *Terminal
	err      error
}

// ask has one of the choices chosen; the present one stands first. After an error
// it keeps the present one.
func (q *questions) ask(text, present string, choices []enroll.Choice) string {
	if q.err != nil {
		return present
	}
	if at := slices.IndexFunc(choices, func(c enroll.Choice) bool { return c.ID == present }); at >= 0 {
		choices = slices.Insert(slices.Delete(slices.Clone(choices), at, at+1), 0, choices[at])
		text += " the first answer is as planned now"
	}
	answer, err := q.terminal.Choose(q.ctx, enroll.Question{Text: text}, choices)
	if err != nil {
		q.err = err
		return present
	}
	return answer
}
