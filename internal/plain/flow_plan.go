package plain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/desk"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/safetext"
)

// plan says what will be done and has a person change it until they begin, park
// or stop. What would be lost for ever is agreed to by typing the card's serial
// number.
func (f *flow) plan(ctx context.Context, s *serving) (turn, error) {
	for {
		preview, err := f.desk.Preview(ctx, s.request)
		if err != nil {
			return f.trouble(ctx, s, "looking what the plan would do to the card", err, again, park, stop)
		}
		s.request.Keys = preview.Request.Keys
		f.sayPlan(preview)
		next, err := f.turn(ctx, "is that the plan?", goOn, replan, park, stop)
		switch {
		case err != nil:
			return stop, err
		case next == replan:
			if err = f.askKeys(ctx, &s.request, preview.Own(), s.card.Identity.Firmware); err != nil {
				return stop, err
			}
			continue
		case next != goOn:
			return next, nil
		}
		if err := preview.Refused(); err != nil {
			return f.trouble(ctx, s, "the plan", err, replan, park, stop)
		}
		err = f.agree(ctx, &s.request, preview.Losses())
		if errors.Is(err, enroll.ErrDeclined) {
			return f.trouble(ctx, s, "agreeing to the loss", err, replan, park, stop)
		}
		return goOn, err
	}
}

// sayPlan says what is planned, step by step, and what would be lost.
func (f *flow) sayPlan(preview *enroll.Preview) {
	f.say("the plan for %s and card %d:", preview.Request.Email, preview.Request.Serial)
	for _, key := range preview.Request.Keys {
		f.say("  %s", keyText(key))
	}
	_ = Preview(f.Out, preview)
}

// Preview writes what a run would come to at each step, and what would be lost.
// Its error is that of out.
func Preview(out io.Writer, preview *enroll.Preview) (err error) {
	say := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintln(out, safetext.Clean(fmt.Sprintf(format, args...)))
		}
	}
	for i, step := range preview.Steps {
		switch step.Outcome {
		case enroll.OutcomeAlready:
			say("  %2d  %s: already so", i+1, step.Title)
		case enroll.OutcomeSkipped:
			say("  %2d  %s: stays as it is", i+1, step.Title)
		case enroll.OutcomeStop:
			say("  %2d  %s: would stop: %v", i+1, step.Title, step.Err)
		default:
			say("  %2d  would %s; changes %s", i+1, step.Title, step.Changes)
		}
		for _, secret := range step.Asks {
			say("      would ask for %s", secret)
		}
		for _, note := range step.Notes {
			say("      %s", note)
		}
	}
	for _, slot := range preview.Slots {
		if slot.Action == enroll.ActionContinue {
			say("  slot %s holds the key that was generated for this user: it goes on with that", desk.SlotName(slot.Slot))
		}
	}
	for _, loss := range preview.Losses() {
		say("  lost: %s", loss)
	}
	return err
}

// keyText says what is planned for a key.
func keyText(key enroll.KeyRequest) string {
	what := fmt.Sprintf("slot %s: %s, ", desk.SlotName(key.Slot), useText(key.Use))
	if key.Source == enroll.SourceExisting {
		return what + "the key that is there"
	}
	return what + fmt.Sprintf("a new %s key, PIN policy %s, touch policy %s", key.Algorithm, key.PINPolicy, key.TouchPolicy)
}

func useText(use certificate.Use) string {
	switch use {
	case certificate.UseSign:
		return "signs"
	case certificate.UseEncrypt:
		return "decrypts"
	}
	return "signs and decrypts"
}

// agree has the loss of keys confirmed, unless the very same was, or any on the
// command line, and enroll.ErrDeclined is a no.
func (f *flow) agree(ctx context.Context, request *enroll.Request, losses []string) error {
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
