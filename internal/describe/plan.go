package describe

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
)

// State says what became of a step.
func State(state enroll.State) Value {
	switch state {
	case enroll.StateStarted:
		return Value{Text: "now"}
	case enroll.StateDone:
		return Value{Text: "done", Tone: OK}
	case enroll.StateAlready:
		return Value{Text: "already done", Tone: OK}
	case enroll.StateSkipped:
		return Value{Text: "left as it is", Tone: Warning}
	case enroll.StateFailed:
		return Value{Text: "failed", Tone: Bad}
	}
	return Value{Tone: Faint}
}

// Step says what a run would come to at a step, as far as it is known.
func Step(step enroll.StepPreview) Value {
	value := Value{Text: "changes " + step.Changes}
	if step.Changes == "nothing" || step.Changes == "files" {
		value.Tone = Faint
	}
	switch step.Outcome {
	case enroll.OutcomeAlready:
		value = State(enroll.StateAlready)
	case enroll.OutcomeSkipped:
		value = State(enroll.StateSkipped)
	case enroll.OutcomeStop:
		value = Value{Text: "would stop", Tone: Bad}
	}
	value.Label = step.Title
	if step.Err != nil {
		value.Details = append(value.Details, step.Err.Error())
	}
	for _, secret := range step.Asks {
		value.Details = append(value.Details, "asks for "+secret)
	}
	value.Details = append(value.Details, step.Notes...)
	return value
}

// Continued says of the slots that hold the key of an enrollment that was begun that
// it goes on with that.
func Continued(preview *enroll.Preview) (values []Value) {
	for _, slot := range preview.Slots {
		if slot.Action == enroll.ActionContinue {
			values = append(values, Value{Text: fmt.Sprintf("slot %s holds the key that was generated for this user: it goes on with it", strings.ToUpper(slot.Slot.String())), Tone: OK})
		}
	}
	return values
}

// Progress says how far a person's enrollment is; failure is what stands in its way,
// nil for nothing, and by who finished it elsewhere.
func Progress(progress enroll.Progress, by string, failure error) Value {
	switch {
	case progress.Stage == enroll.StageDone:
		text := "done " + progress.When.Local().Format(time.DateOnly)
		if by != "" {
			text += " by " + by
		}
		return Value{Text: text, Tone: OK}
	case errors.Is(failure, enroll.ErrDeclined):
		return Value{Text: "declined, not finished", Tone: Warning}
	case failure != nil:
		return Value{Text: "failed: " + failure.Error(), Tone: Bad}
	}
	switch progress.Stage {
	case enroll.StageBegun, enroll.StageReady:
		if progress.Failed != "" {
			return Value{Text: "begun, not finished: " + progress.Failed, Tone: Warning}
		}
	}
	switch progress.Stage {
	case enroll.StageWaiting:
		return Value{Text: "parked, waiting for the certificate", Tone: Warning}
	case enroll.StageReady:
		return Value{Text: "parked, the certificate is there: go on", Tone: OK}
	case enroll.StageBegun:
		return Value{Text: "begun, not finished", Tone: Warning}
	}
	return Value{Text: "to do", Tone: Faint}
}

// FactoryManagementKey says of a card whose enrollment is not finished what follows from
// its factory management key; none where it has another.
func FactoryManagementKey(progress enroll.Progress) []Value {
	if !progress.FactoryManagementKey || progress.Stage == enroll.StageDone {
		return nil
	}
	return []Value{{Label: fmt.Sprintf("card %d", progress.Serial), Tone: Warning,
		Text: "still has the factory management key: whoever has it can change the keys on it; keep it locked away until the enrollment is finished"}}
}

// Planned says what is planned for a key.
func Planned(key enroll.KeyRequest) Value {
	value := Value{Label: "slot " + SlotName(key.Slot), Text: Use(key.Use) + ", the key that is there"}
	if key.Source != enroll.SourceExisting {
		value.Text = fmt.Sprintf("%s, a new %s key, PIN policy %s, touch policy %s", Use(key.Use), key.Algorithm, key.PINPolicy, key.TouchPolicy)
	}
	return value
}
