package describe

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/ledger"
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
// it goes on with that, and of a renewal that was begun what is where.
func Continued(preview *enroll.Preview) (values []Value) {
	if preview.Renewal != nil {
		values = append(values, Value{Text: "a renewal was begun, and it goes on; Gmail uses the old certificate until it is finished", Tone: Warning})
	}
	for _, slot := range preview.Slots {
		switch name := strings.ToUpper(slot.Slot.String()); {
		case preview.Renewal != nil:
			old := ""
			if to := preview.Renewal.Keys[slot.Slot.String()].MovedTo; to != "" {
				old = "; slot " + to + " is for the old one"
			}
			switch slot.Action {
			case enroll.ActionContinue:
				values = append(values, Value{Text: "slot " + name + " holds the new key" + old, Tone: OK})
			case enroll.ActionRenew:
				values = append(values, Value{Text: "slot " + name + " keeps its key, and gets a new certificate", Tone: OK})
			default:
				values = append(values, Value{Text: "slot " + name + " gets a new key" + old, Tone: Warning})
			}
		case slot.Action == enroll.ActionContinue:
			values = append(values, Value{Text: fmt.Sprintf("slot %s holds the key that was generated for this user: it goes on with it", name), Tone: OK})
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
	begun, of := "begun", ""
	switch {
	case progress.Renewal != nil:
		begun, of = "renewal begun", "renewal begun, "
	case progress.Replaces != nil || len(progress.MovesFrom) > 0:
		begun, of = "replacement begun", "replacement begun, "
	}
	switch progress.Stage {
	case enroll.StageBegun, enroll.StageReady:
		if progress.Failed != "" {
			return Value{Text: begun + ", not finished: " + progress.Failed, Tone: Warning}
		}
	}
	switch progress.Stage {
	case enroll.StageWaiting:
		return Value{Text: of + "waiting for the certificate", Tone: Warning}
	case enroll.StageReady:
		return Value{Text: of + "the certificate is there: go on", Tone: OK}
	case enroll.StageBegun:
		return Value{Text: begun + ", not finished", Tone: Warning}
	}
	return Value{Text: "to do", Tone: Faint}
}

// Ended says what became of the card that somebody was done with.
func Ended(card ledger.CardCertificate) Value {
	text := "card " + string(card.State)
	if card.State == ledger.CardWithdrawn {
		text = "left"
	}
	return Value{Text: text + " " + card.Changed.Local().Format(time.DateOnly), Tone: Warning}
}

// Meanwhile says what Gmail uses until a renewal or replacement is finished that was begun, and
// where the old keys are; none for what is neither, or is finished.
func Meanwhile(progress enroll.Progress) []Value {
	switch {
	case progress.Stage == enroll.StageNone || progress.Stage == enroll.StageDone:
		return nil
	case progress.Renewal != nil:
		return []Value{{Label: "Gmail", Tone: Warning, Text: "uses the old certificate until the renewal is finished" + oldKeys(progress)}}
	case len(progress.MovesFrom) > 0 && !progress.Registered:
		return []Value{{Label: "Gmail", Tone: Warning, Text: "uses " + strings.Join(progress.MovesFrom, " and ") + " until the replacement is finished"}}
	}
	return nil
}

// oldKeys says where the keys are that are renewed: a new one is generated only after the old
// one has moved.
func oldKeys(progress enroll.Progress) string {
	var slots []string
	for _, old := range progress.Renewal.Keys {
		if old.MovedTo != "" {
			slots = append(slots, old.MovedTo)
		}
	}
	slices.Sort(slots)
	switch {
	case len(slots) == 0:
		return ""
	case progress.Stage == enroll.StageBegun:
		return "; the old key moves to slot " + strings.Join(slots, " and ")
	}
	return "; the old key is in slot " + strings.Join(slots, " and ")
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

// Interrupted says what stands on the card of an enrollment that somebody stopped, and what that means
// until it is gone on with; nothing of one that is finished.
func Interrupted(progress enroll.Progress) []Value {
	if progress.Stage == enroll.StageDone {
		return nil
	}
	if progress.Stage == enroll.StageNone || progress.Serial == 0 {
		return []Value{{Text: "the enrollment changed nothing on a card"}}
	}
	var has []string
	if progress.OwnPIN {
		has = append(has, "has the user's PIN")
	}
	if len(progress.Generated) > 0 {
		has = append(has, "has a new key in slot "+strings.Join(progress.Generated, " and "))
	}
	switch progress.Stage {
	case enroll.StageWaiting:
		has = append(has, "waits for the certificate")
	case enroll.StageReady:
		has = append(has, "its certificate has come")
	}
	value := Value{Label: fmt.Sprintf("card %d", progress.Serial), Text: "is half done: what was changed stays", Tone: Warning}
	if len(has) > 0 {
		value.Text = "is half done: " + strings.Join(has, ", ")
	}
	return slices.Concat([]Value{value}, Meanwhile(progress), FactoryManagementKey(progress))
}

// Planned says what is planned for a key.
func Planned(key enroll.KeyRequest) Value {
	value := Value{Label: "slot " + SlotName(key.Slot), Text: Use(key.Use) + ", the key that is there"}
	if key.Source != enroll.SourceExisting {
		value.Text = fmt.Sprintf("%s, a new %s key, PIN policy %s, touch policy %s", Use(key.Use), key.Algorithm, key.PINPolicy, key.TouchPolicy)
	}
	return value
}
