package plain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// plan says what will be done and has a person change it until they begin, park
// or stop. What would be lost for ever is agreed to by typing the card's serial
// number.
func (f *flow) plan(ctx context.Context) (desk.Event, error) {
	t := f.talk
	switch {
	case f.declined != "":
		what := f.declined
		f.declined = ""
		next, err := f.trouble(ctx, what, enroll.ErrDeclined, again, replan, park, stop)
		switch {
		case err != nil || next == desk.Park || next == desk.Stop:
			return next, err
		case next == desk.Again:
			return f.begin(ctx)
		}
		return nil, nil
	case t.Problem != nil && t.Plan.Preview == nil:
		return f.trouble(ctx, "looking what the plan would do to the card", t.Problem, again, another, park, stop)
	case errors.Is(t.Problem, enroll.ErrDeclined):
		return f.trouble(ctx, "agreeing to the loss", t.Problem, option{desk.Again, replan.text}, park, stop)
	case t.Problem != nil:
		return f.trouble(ctx, "the plan", t.Problem, option{desk.Again, replan.text}, park, stop)
	}
	f.sayPlan(t.Plan.Preview)
	options := []option{begin, replan, park, stop}
	if t.Plan.Settled() {
		options = []option{begin, park, stop}
	}
	if len(t.MenuChoices()) > 0 {
		options = append(options, more)
	}
	next, err := f.choose(ctx, "is that the plan?", options...)
	switch {
	case err != nil:
		return nil, err
	case next == desk.GoOn:
		return f.begin(ctx)
	case next == desk.Back:
		return f.askKeys(ctx)
	}
	return next, nil
}

// begin has the loss of keys agreed to, unless that was done on the command line.
func (f *flow) begin(ctx context.Context) (desk.Event, error) {
	if f.talk.NeedsSerial() {
		serial := strconv.FormatUint(uint64(f.talk.Request.Serial), 10)
		question := enroll.Question{Text: fmt.Sprintf("what is in card %s will be lost for ever", serial), Loss: f.talk.Plan.Losses()}
		err := f.TypedConfirm(ctx, question, serial)
		switch {
		case err == nil:
			f.talk.Take(desk.SerialTyped{Text: serial})
		case !errors.Is(err, enroll.ErrDeclined):
			return nil, err
		}
	}
	return desk.GoOn, nil
}

// questions are those of a plan.
var questions = map[enroll.Option]string{
	enroll.OptionSource: "where is the key from?", enroll.OptionLayout: "how many keys?", enroll.OptionSlot: "which slot?",
	enroll.OptionAlgorithm: "which algorithm?", enroll.OptionPINPolicy: "when does the key ask for the PIN?",
	enroll.OptionTouchPolicy: "when does the key ask for a touch?",
}

// askKeys asks what the keys shall be. What they are now is the first choice of
// each question.
func (f *flow) askKeys(ctx context.Context) (event desk.Event, err error) {
	for i := range f.talk.Plan.Questions {
		f.talk.Take(event) // but the last one: then the card is looked at
		question := f.talk.Plan.Questions[i]
		if question.Hidden {
			continue
		}
		choices := slices.Clone(question.Choices)
		present := choices[question.Answer]
		choices = slices.Insert(slices.Delete(choices, question.Answer, question.Answer+1), 0, present)
		answer, err := f.Choose(ctx, enroll.Question{Text: questions[question.Option] + " the first answer is as planned now"}, choices)
		if err != nil {
			return nil, err
		}
		event = desk.KeyChosen{Option: question.Option, ID: answer}
	}
	return event, nil
}

// sayPlan says what is planned, step by step, and what would be lost.
func (f *flow) sayPlan(preview *enroll.Preview) {
	f.say("the plan for %s and card %d:", preview.Request.Email, preview.Request.Serial)
	for _, key := range preview.Request.Keys {
		f.say("  %s", line(describe.Planned(key)))
	}
	_ = Preview(f.Out, preview)
}
