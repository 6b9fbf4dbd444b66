package plain

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// plan says what will be done and has a person change it until they begin, park
// or stop. What would be lost for ever is agreed to by typing the card's serial
// number.
func (f *flow) plan(ctx context.Context, s *serving) (turn, error) {
	for {
		outlook, err := f.desk.Outlook(ctx, s.request)
		if err != nil {
			return f.trouble(ctx, s, "looking what the plan would do to the card", err, again, park, stop)
		}
		f.sayPlan(s.request, outlook)
		next, err := f.turn(ctx, "is that the plan?", goOn, replan, park, stop)
		switch {
		case err != nil:
			return stop, err
		case next == replan:
			if s.request.Keys, err = f.askKeys(ctx, s.request.Keys, s.card.Identity.Firmware); err != nil {
				return stop, err
			}
			continue
		case next != goOn:
			return next, nil
		}
		if err := enroll.Workable(s.request, outlook); err != nil {
			return f.trouble(ctx, s, "the plan", err, replan, park, stop)
		}
		err = f.agree(ctx, &s.request, outlook)
		if errors.Is(err, enroll.ErrDeclined) {
			return f.trouble(ctx, s, "agreeing to the loss", err, replan, park, stop)
		}
		return goOn, err
	}
}

// sayPlan says what will be done, step by step, and what would be lost.
func (f *flow) sayPlan(request enroll.Request, outlook []enroll.SlotOutlook) {
	f.say("the plan for %s and card %d:", request.Email, request.Serial)
	for _, key := range request.Keys {
		f.say("  %s", keyText(key))
	}
	request.Review = true
	for i, step := range enroll.NewPlan(request) {
		f.say("  %d  %s; changes %s", i+1, step.Title, step.Changes)
	}
	for _, slot := range outlook {
		if slot.Fate == enroll.FateContinue {
			f.say("  slot %s holds the key that was generated for this user: it goes on with that", desk.SlotName(slot.Slot))
		}
	}
	for _, loss := range enroll.Losses(outlook) {
		f.say("  lost: %s", loss)
	}
}

// keyText says what is planned for a key.
func keyText(key enroll.KeyRequest) string {
	what := fmt.Sprintf("slot %s: %s, ", desk.SlotName(key.Slot), useText(key.Use))
	if key.Source == enroll.SourceExisting {
		return what + "the key that is there"
	}
	return what + fmt.Sprintf("a new %s key, PIN policy %s, touch policy %s", key.Algorithm, key.PINPolicy, key.TouchPolicy)
}

func useText(use enroll.Use) string {
	switch use {
	case enroll.UseSign:
		return "signs"
	case enroll.UseEncrypt:
		return "decrypts"
	}
	return "signs and decrypts"
}

// agree has the loss of keys confirmed, unless the very same was, or any on the
// command line, and enroll.ErrDeclined is a no.
func (f *flow) agree(ctx context.Context, request *enroll.Request, outlook []enroll.SlotOutlook) error {
	losses := enroll.Losses(outlook)
	if len(losses) > 0 && !request.Agrees(request.Serial, losses) {
		serial := strconv.FormatUint(uint64(request.Serial), 10)
		question := enroll.Question{Text: fmt.Sprintf("what is in card %s will be lost for ever", serial), Loss: losses}
		if err := f.TypedConfirm(ctx, question, serial); err != nil {
			return err
		}
	}
	*request = request.Agree(losses)
	return nil
}
