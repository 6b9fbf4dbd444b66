package stdio

import (
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/enroll"
)

// PreviewJSON is the dry run of an enrollment, or of a card that is made ready, as JSON. The field names are a contract.
type PreviewJSON struct {
	Email    string            `json:"email"`
	Serial   uint32            `json:"serial,omitempty"` // of the card
	Steps    []stepPreviewJSON `json:"steps"`
	Slots    []slotPreviewJSON `json:"slots"`
	Losses   []string          `json:"losses"`          // for ever
	ExitCode int               `json:"exit_code"`       // that the run would end with
	Error    *Failure          `json:"error,omitempty"` // with which the run would end
}

type stepPreviewJSON struct {
	Step    string         `json:"step"`           // stable name of the step
	Title   string         `json:"title"`          // what the step does, for people
	Slot    string         `json:"slot,omitempty"` // of the key that the step is about
	Changes string         `json:"changes"`        // card, Gmail, files or nothing
	Outcome enroll.Outcome `json:"outcome"`
	Error   string         `json:"error,omitempty"` // with which the run would stop
	Hint    string         `json:"hint,omitempty"`  // what to type next
	Asks    []string       `json:"asks,omitempty"`  // what a person would be asked for
	Notes   []string       `json:"notes,omitempty"` // what a person should know
}

type slotPreviewJSON struct {
	Slot   string            `json:"slot"` // of the key that the step is about
	Action enroll.SlotAction `json:"action,omitempty"`
	Key    string            `json:"key_sha256,omitempty"` // of the SubjectPublicKeyInfo
	Losses []string          `json:"losses,omitempty"`
}

// NewPreview returns a preview as JSON, with the error that the run would end with.
func (s *Streams) NewPreview(preview *enroll.Preview, end error) PreviewJSON {
	out := PreviewJSON{
		Email: preview.Request.Email, Serial: preview.Request.Serial, Steps: []stepPreviewJSON{}, Slots: []slotPreviewJSON{},
		Losses: append([]string{}, preview.Losses()...), ExitCode: failure.ExitCode(end), Error: s.FailureOf(end),
	}
	for _, step := range preview.Steps {
		shown := stepPreviewJSON{
			Step: step.ID, Title: step.Title, Slot: step.Slot, Changes: step.Changes,
			Outcome: step.Outcome, Asks: step.Asks, Notes: step.Notes,
		}
		if step.Err != nil {
			shown.Error, shown.Hint = step.Err.Error(), s.Hint(step.Err)
		}
		out.Steps = append(out.Steps, shown)
	}
	for _, slot := range preview.Slots {
		out.Slots = append(out.Slots, slotPreviewJSON{Slot: slot.Slot.String(), Action: slot.Action, Key: slot.Key, Losses: slot.Loss})
	}
	return out
}
