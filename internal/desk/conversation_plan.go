package desk

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// NotAgreedError says that somebody who was shown what would be lost did not type
// the card's serial number. It is an enroll.ErrDeclined.
type NotAgreedError struct{ Serial uint32 }

// Error names the card's serial number, which was to be typed.
func (e *NotAgreedError) Error() string {
	return fmt.Sprintf("what would be lost is not agreed to: the card's serial number is %d", e.Serial)
}

// Unwrap returns enroll.ErrDeclined.
func (e *NotAgreedError) Unwrap() error { return enroll.ErrDeclined }

// PlannedRequest is the enrollment as it is chosen now. What may be lost is what the
// command line agreed to.
func (c *Conversation) PlannedRequest() enroll.Request {
	p, request := c.Plan, c.Request
	if p.chosen {
		request = request.Choose(p.keys())
		request.Renew = p.renewal(c.Renews())
	}
	request.Replace = nil
	if p.replaces() {
		request.Replace = p.own
	}
	request.Overwrite, request.Confirm, request.Agreed = c.base.Overwrite, c.base.Confirm, c.base.Agreed
	return request
}

// NeedsSerial reports whether the card's serial number has to be typed before the
// plan can begin.
func (c *Conversation) NeedsSerial() bool {
	losses := c.Plan.Losses()
	return len(losses) > 0 && c.Plan.Preview.Refused() == nil && !c.PlannedRequest().Agrees(c.Request.Serial, losses)
}

func (c *Conversation) enterPlan() []Effect {
	firmware := c.Card.Identity.Firmware
	switch {
	case c.Plan == nil:
		renews := c.Request.Renew
		if c.Renews() {
			renews = "" // everybody's: it is no answer
		}
		c.Plan = newPlan(c.Request.Keys, slices.Clone(c.Request.Replace), renews, firmware, c.Request.Profile)
		if len(c.Plan.own) > 0 {
			c.Plan.answer(enroll.OptionSource, SourceReplace) // as the command line asks
		}
		if c.base.Renew == enroll.RenewSameKey {
			c.Plan.answer(enroll.OptionSource, string(enroll.SourceExisting))
		}
	case firmware != piv.Version{} && firmware != c.Plan.firmware:
		c.Plan.renew(c.Plan.keys(), firmware)
	}
	p := c.Plan
	if p.card != c.Request.Serial {
		if p.card != 0 {
			p.offer(nil)
		}
		p.card, p.losses, p.Serial = c.Request.Serial, nil, ""
	}
	p.Out = c.cardOut()
	if c.Strange(p.card) {
		return c.enter(PhaseCard) // it was pulled meanwhile
	}
	return c.readPlan()
}

// cardOut reports whether the card that the plan is for is in no reader.
func (c *Conversation) cardOut() bool { return c.Watched && !c.Present(c.Request.Serial) }

// readPlan looks what the plan would find and do on the card.
func (c *Conversation) readPlan() []Effect {
	p := c.Plan
	p.asked++
	generated := p.generates()
	for _, option := range []enroll.Option{enroll.OptionAlgorithm, enroll.OptionPINPolicy, enroll.OptionTouchPolicy} {
		p.question(option).Hidden = !generated
	}
	p.question(enroll.OptionSlot).Hidden = p.Answer(enroll.OptionLayout) == string(enroll.LayoutSplit)
	p.Preview = nil
	return []Effect{ReadPlan{Number: p.asked, Request: c.PlannedRequest()}}
}

// planRead takes in what the plan would come to. The serial number that was typed
// for another loss is forgotten.
func (c *Conversation) planRead(event PlanRead) []Effect {
	p := c.Plan
	if p == nil || event.Number != p.asked || c.Phase != PhasePlan {
		return nil
	}
	c.Retry = nil
	if c.Problem = event.Err; event.Err != nil {
		return nil
	}
	p.Preview = event.Preview
	replaces, known := p.replaces(), len(p.own)
	if losses := p.Losses(); !slices.Equal(losses, p.losses) {
		p.losses, p.Serial = losses, ""
	}
	if c.goOnRenewing() {
		return nil
	}
	if !p.chosen && !slices.Equal(p.keys(), p.Preview.Request.Keys) {
		c.Request.Keys = p.Preview.Request.Keys
		p.renew(c.Request.Keys, p.firmware)
	}
	own := slices.Clone(p.own)
	for _, key := range p.Preview.UsersKeys() {
		if !slices.Contains(own, key) {
			own = append(own, key)
		}
	}
	p.offer(own)
	if replaces {
		p.answer(enroll.OptionSource, SourceReplace)
	}
	if replaces && len(p.own) > known {
		return c.readPlan() // with those, too
	}
	return nil
}

// goOnRenewing reports whether the preview is of a renewal that an earlier run began: that is what
// there is to begin, as it was chosen then.
func (c *Conversation) goOnRenewing() bool {
	p, renewal := c.Plan, c.Plan.Preview.Renewal
	if renewal == nil && p.begun {
		p.begun, p.renews = false, ""
		p.renew(p.keys(), p.firmware)
	}
	if p.begun = renewal != nil; !p.begun {
		return false
	}
	p.renews, p.chosen = enroll.Renewal(renewal.Kind), false
	c.Request.Keys = p.Preview.Request.Keys
	p.renew(c.Request.Keys, p.firmware)
	for i := range p.Questions {
		question := &p.Questions[i]
		question.Choices, question.Answer = question.Choices[question.Answer:question.Answer+1], 0
	}
	return true
}

// planCard follows the card that the plan is for. Put back in, it is looked at anew:
// it may hold something else now.
func (c *Conversation) planCard() []Effect {
	p := c.Plan
	if c.Strange(c.Request.Serial) {
		return c.enter(PhaseCard)
	}
	was := p.Out
	p.Out = c.cardOut()
	if !p.Out && (was || p.Preview == nil && c.Problem != nil) {
		c.Problem = nil
		return c.readPlan()
	}
	return nil
}

func (c *Conversation) keyChosen(event KeyChosen) []Effect {
	if c.Phase != PhasePlan {
		return nil
	}
	c.Plan.answer(event.Option, event.ID)
	c.Plan.chosen, c.Problem = true, nil
	return c.readPlan()
}

func (c *Conversation) actPlan(action Action) []Effect {
	p := c.Plan
	switch {
	case action == Back:
		return c.enter(PhaseCard)
	case action == Again:
		return c.readPlan()
	case action == More:
		return c.openMenu()
	case action != GoOn || p.Preview == nil || p.Out:
		return nil
	}
	if c.Problem = p.Preview.Refused(); c.Problem != nil {
		return nil
	}
	request := c.PlannedRequest()
	if c.NeedsSerial() && p.Serial != strconv.FormatUint(uint64(request.Serial), 10) {
		c.Problem = &NotAgreedError{request.Serial}
		return nil
	}
	p.Serial = "" // it was for this once
	return c.begin(request.Agree(p.Losses()), nil)
}
