package desk

import (
	"slices"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// Plan is where it is decided what is done to a person's card.
type Plan struct {
	// Questions are what can be chosen, with the present answers.
	Questions []PlanQuestion
	// Preview is what a run would come to; nil until that is known.
	Preview *enroll.Preview
	// Out says that the card is in no reader.
	Out bool
	// Serial is the serial number as far as it was typed for the losses.
	Serial string

	profile  *enroll.Profile // that leaves no choice of some; nil for none
	firmware piv.Version     // of the card for which the questions were made
	card     uint32          // that the plan was made for
	asked    int             // number of the latest question for the preview
	// chosen says that the person changed something: what nobody chose is as it was
	// begun.
	chosen bool
	// own are the keys that the person has on the card, which a new one can take
	// the place of.
	own []string
	// renews is the renewal that was chosen before the plan or, where begun says so, that an
	// earlier run began and that leaves no choice; empty for none.
	renews enroll.Renewal
	begun  bool
	losses []string // that Serial is typed for
}

// PlanQuestion is one of the questions for a plan. All answers are always valid.
type PlanQuestion struct {
	Option  enroll.Option
	Choices []enroll.Choice // the IDs are words of the command line
	Answer  int             // index
	Hidden  bool            // the question does not arise
}

// newPlan asks what the keys shall be, those of the request preselected.
func newPlan(keys []enroll.KeyRequest, own []string, renews enroll.Renewal, firmware piv.Version, profile *enroll.Profile) *Plan {
	layout, key := enroll.LayoutOf(keys)
	p := &Plan{firmware: firmware, own: own, renews: renews, profile: profile}
	for _, question := range []struct {
		option  enroll.Option
		answer  string
		choices []enroll.Choice
	}{
		{enroll.OptionSource, p.source(key.Source), p.sources()},
		{enroll.OptionLayout, string(layout), Layouts()},
		{enroll.OptionSlot, key.Slot.String(), Slots()},
		{enroll.OptionAlgorithm, string(key.Algorithm), Algorithms(firmware)},
		{enroll.OptionPINPolicy, string(key.PINPolicy), PINPolicies()},
		{enroll.OptionTouchPolicy, string(key.TouchPolicy), TouchPolicies()},
	} {
		p.Questions = append(p.Questions, PlanQuestion{Option: question.option, Choices: allowed(question.choices, profile.Fixed(question.option))})
		p.answer(question.option, question.answer)
	}
	return p
}

// allowed are the choices that a profile leaves.
func allowed(choices []enroll.Choice, fixed string) []enroll.Choice {
	if fixed == "" {
		return choices
	}
	for _, choice := range choices {
		if choice.ID == fixed {
			return []enroll.Choice{choice}
		}
	}
	return []enroll.Choice{{ID: fixed, Text: fixed}} // the card cannot, and the preview says so
}

// sources lists where a key can come from.
func (p *Plan) sources() []enroll.Choice {
	if p.renews != "" && len(p.own) == 0 {
		return SourcesFor([]string{""})
	}
	return SourcesFor(p.own)
}

// source is the answer that says where a key comes from, unless a renewal was chosen.
func (p *Plan) source(source enroll.Source) string {
	switch p.renews {
	case enroll.RenewNewKey:
		return SourceRenew
	case enroll.RenewSameKey:
		return SourceRenewSame
	}
	return string(source)
}

// Answer returns the present answer to a question.
func (p *Plan) Answer(option enroll.Option) string {
	question := p.question(option)
	return question.Choices[question.Answer].ID
}

func (p *Plan) question(option enroll.Option) *PlanQuestion {
	return &p.Questions[slices.IndexFunc(p.Questions, func(q PlanQuestion) bool { return q.Option == option })]
}

// answer answers a question, where that is one of its choices.
func (p *Plan) answer(option enroll.Option, id string) {
	question := p.question(option)
	if at := slices.IndexFunc(question.Choices, func(c enroll.Choice) bool { return c.ID == id }); at >= 0 {
		question.Answer = at
	}
}

// replaces reports whether a new key is to take the place of the person's own.
func (p *Plan) replaces() bool { return p.Answer(enroll.OptionSource) == SourceReplace }

// renewal says what is renewed: what the answer asks for or, at a desk that renews, the
// key where none is to be generated.
func (p *Plan) renewal(always bool) enroll.Renewal {
	switch source := p.Answer(enroll.OptionSource); {
	case source == SourceRenewSame, always && source == string(enroll.SourceExisting):
		return enroll.RenewSameKey
	case source == SourceRenew, always:
		return enroll.RenewNewKey
	}
	return ""
}

// generates reports whether a key is to be generated.
func (p *Plan) generates() bool {
	source := p.Answer(enroll.OptionSource)
	return source != string(enroll.SourceExisting) && source != SourceRenewSame
}

// offer offers a new key in place of those that the person has.
func (p *Plan) offer(own []string) {
	source := p.Answer(enroll.OptionSource)
	p.own = own
	question := p.question(enroll.OptionSource)
	question.Choices, question.Answer = p.sources(), 0
	p.answer(enroll.OptionSource, source)
}

// renew asks anew, for a card with that firmware.
func (p *Plan) renew(keys []enroll.KeyRequest, firmware piv.Version) {
	questions := newPlan(keys, p.own, p.renews, firmware, p.profile).Questions
	p.Questions, p.firmware = questions, firmware
}

// keys are the answers as a request has them.
func (p *Plan) keys() []enroll.KeyRequest {
	slot, err := piv.ParseSlot(p.Answer(enroll.OptionSlot))
	if err != nil {
		slot = piv.SlotKeyManagement // every choice is a slot
	}
	source := enroll.SourceGenerate
	if !p.generates() {
		source = enroll.SourceExisting
	}
	return enroll.Layout(p.Answer(enroll.OptionLayout)).Keys(enroll.KeyRequest{
		Slot: slot, Source: source,
		Algorithm: piv.Algorithm(p.Answer(enroll.OptionAlgorithm)),
		PINPolicy: piv.PINPolicy(p.Answer(enroll.OptionPINPolicy)), TouchPolicy: piv.TouchPolicy(p.Answer(enroll.OptionTouchPolicy)),
	})
}

// Losses is what would be lost for ever, as far as it is known.
func (p *Plan) Losses() []string {
	if p == nil || p.Preview == nil {
		return nil
	}
	return p.Preview.Losses()
}

// Settled reports whether there is nothing to choose.
func (p *Plan) Settled() bool {
	return !slices.ContainsFunc(p.Questions, func(q PlanQuestion) bool { return len(q.Choices) > 1 })
}
