package plain

import (
	"context"
	"slices"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/prompt"
)

// askKeys asks what the keys of the request shall be. What they are now is the
// first choice of each question; own are those that the person has already.
func (f *flow) askKeys(ctx context.Context, request *enroll.Request, own []string, firmware piv.Version) error {
	layout, key := enroll.LayoutOf(request.Keys)
	q := questions{ctx: ctx, terminal: f.Terminal}
	source := q.ask("where is the key from?", string(key.Source), desk.SourcesFor(own))
	request.Replace = nil
	if source == desk.SourceReplace {
		source, request.Replace = string(enroll.SourceGenerate), own
	}
	key.Source = enroll.Source(source)
	layout = enroll.Layout(q.ask("how many keys?", string(layout), desk.Layouts()))
	if layout == enroll.LayoutSingle {
		slot, err := piv.ParseSlot(q.ask("which slot?", key.Slot.String(), desk.Slots()))
		if err != nil {
			return err
		}
		key.Slot = slot
	}
	if key.Source == enroll.SourceGenerate {
		key.Algorithm = piv.Algorithm(q.ask("which algorithm?", string(key.Algorithm), desk.Algorithms(firmware)))
		key.PINPolicy = piv.PINPolicy(q.ask("when does the key ask for the PIN?", string(key.PINPolicy), desk.PINPolicies()))
		key.TouchPolicy = piv.TouchPolicy(q.ask("when does the key ask for a touch?", string(key.TouchPolicy), desk.TouchPolicies()))
	}
	if q.err == nil {
		*request = request.Choose(layout.Keys(key))
	}
	return q.err
}

// questions asks several in a row, until the first error.
type questions struct {
	ctx      context.Context
	terminal *prompt.Terminal
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
