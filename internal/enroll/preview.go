package enroll

import (
	"context"
	"errors"
	"slices"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/piv"
)

// Outcome is what a run would come to at a step.
type Outcome string

// The outcomes of a step.
const (
	OutcomeAlready Outcome = "already" // it is so: there is nothing to do
	OutcomeWould   Outcome = "would"   // it would be carried out
	OutcomeSkipped Outcome = "skipped" // things would stay as they are; the last note says why
	OutcomeStop    Outcome = "stop"    // the run would end there
)

// StepPreview is what a run would come to at one step.
type StepPreview struct {
	Step
	Outcome Outcome
	Err     error    // with which a run would stop there
	Asks    []string // what a person would be asked for there
	Notes   []string // that a person would be told there
}

// SlotPreview is what a run would do with one slot.
type SlotPreview struct {
	Slot   piv.Slot
	Action SlotAction
	// Key is the SHA-256 (lower-case hex) of the SubjectPublicKeyInfo of the key
	// that is in the slot, as Request.Replace names it; empty for none.
	Key string
	// Loss is what would be lost for ever, a sentence each; nil for nothing.
	Loss []string
}

// Preview is what a run would come to, with nothing changed.
type Preview struct {
	// Request is the one that would be carried out: what nobody chose is as it was
	// begun.
	Request Request
	// Renewal is one that an earlier run began, and that goes on; nil for none.
	Renewal *evidence.Renewal
	Slots   []SlotPreview
	Steps   []StepPreview
}

// NewPreview looks at everything that Run looks at for the request, and tells
// what it would come to. Nothing is changed on the card, at Gmail or in files, no
// PIN is tried, and nobody is asked. Where a question decides what is lost, it
// stops as Run does unattended. Where a secret would be asked for it goes on,
// unless deps.Prompter is Unattended; nil is somebody who can be asked.
func NewPreview(ctx context.Context, deps Dependencies, request Request) (*Preview, error) {
	if err := request.Validate(); err != nil {
		return nil, err
	}
	return newPreview(ctx, deps, request, NewPlan)
}

func newPreview(ctx context.Context, deps Dependencies, request Request, newPlan func(Request) Plan) (*Preview, error) {
	asked := &askedSecrets{run: deps.Prompter}
	e := newEnrollment(readOnly(deps, asked), request)
	e.evidence.find = func(context.Context) (*evidence.Folder, error) {
		folder, err := e.latest()
		return folder.ReadOnly(), err
	}
	defer e.release(ctx)
	preview := &Preview{}
	e.deps.Notify = func(event Event) {
		if last := len(preview.Steps) - 1; event.State == StateNote {
			preview.Steps[last].Notes = append(preview.Steps[last].Notes, event.Message)
		}
	}
	for i, plan := 0, newPlan(request); i < len(plan); i++ {
		preview.Steps = append(preview.Steps, StepPreview{Step: plan[i]})
		asked.texts, e.events.skipped = nil, ""
		outcome, err := e.preview(e.about(ctx), plan[i])
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if plan[i].ID == "evidence" && e.evidence.folder == nil {
			e.evidence.folder = e.evidence.earlier // where what was found out would be written down
		}
		step := &preview.Steps[i]
		switch {
		case outcome == OutcomeAlready && len(asked.texts) > 0:
			outcome = OutcomeWould
		case outcome == OutcomeAlready && e.events.skipped != "":
			outcome, step.Notes = OutcomeSkipped, append(step.Notes, e.events.skipped)
		}
		step.Outcome, step.Err, step.Asks = outcome, err, asked.texts
		plan = newPlan(e.request)
	}
	preview.Request = e.request
	if !e.renewal.begins {
		preview.Renewal = e.renewal.of
	}
	for _, key := range e.keys {
		preview.Slots = append(preview.Slots, SlotPreview{Slot: key.Slot, Action: key.action, Key: key.before.key, Loss: key.loss})
	}
	return preview, nil
}

// preview looks what a run would come to at the step. What depends on what an
// earlier step would make is not looked at.
func (e *enrollment) preview(ctx context.Context, step Step) (Outcome, error) {
	if step.needs != nil && !step.needs(e) {
		return OutcomeWould, nil
	}
	var done bool
	var err error
	for retries := 0; retries <= retriesPerStep; retries++ {
		if done, err = step.isSo(ctx, e, false); err == nil && !done && step.preview != nil {
			err = step.preview(ctx, e)
		}
		if !errors.Is(err, piv.ErrReset) || ctx.Err() != nil {
			break
		}
	}
	switch {
	case errors.Is(err, errReadOnly), errors.Is(err, evidence.ErrReadOnly):
		return OutcomeWould, nil
	case err != nil:
		return OutcomeStop, err
	case done:
		return OutcomeAlready, nil
	}
	return OutcomeWould, nil
}

// Err is the error that a run would end with, a *StepError; nil where it would
// reach its receipt.
func (p *Preview) Err() error {
	for _, step := range p.Steps {
		if step.Outcome == OutcomeStop {
			return &StepError{Step: step.Step, Err: step.Err}
		}
	}
	return nil
}

// Unreadable is why the card cannot be read; nil where it can.
func (p *Preview) Unreadable() error { return p.stop("read-card") }

// Refused is why the plan cannot be begun with what is in the slots; nil where it
// can, once what would be lost is agreed to.
func (p *Preview) Refused() error {
	return p.stop("settle-keys")
}

func (p *Preview) stop(id string) error {
	for _, step := range p.Steps {
		if step.ID == id {
			return step.Err
		}
	}
	return nil
}

// UsersKeys lists the keys of the enrollment that was begun or finished with the card,
// as Request.Replace names them.
func (p *Preview) UsersKeys() []string {
	var keys []string
	for _, slot := range p.Slots {
		if slot.Key != "" && (slot.Action == ActionContinue || slot.Action == ActionKeep) {
			keys = append(keys, slot.Key)
		}
	}
	var conflict *ConflictError
	if errors.As(p.Refused(), &conflict) {
		keys = append(keys, conflict.Keys...)
	}
	return keys
}

// Losses lists what the run would destroy, each loss once.
func (p *Preview) Losses() []string {
	var losses []string
	for _, slot := range p.Slots {
		for _, loss := range slot.Loss {
			if !slices.Contains(losses, loss) {
				losses = append(losses, loss)
			}
		}
	}
	return losses
}
