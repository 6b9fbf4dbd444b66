package enroll

import (
	"context"
	"fmt"
)

// Step is one thing that an enrollment sees to.
type Step struct {
	ID    string // stable
	Title string // what it does, for people
	Slot  string // of the key that it concerns, or empty
	// Changes says what the step may change: the card, Gmail, files, or nothing.
	Changes string

	// look reports whether the world is as the step wants it. It changes
	// nothing on the card or at Gmail.
	look func(context.Context, *Enrollment) (bool, error)
	// act makes it so; look is called again afterwards.
	act func(context.Context, *Enrollment) error
}

// Plan is the ordered list of the steps of one enrollment.
type Plan []Step

// NewPlan returns the plan for a request.
func NewPlan(request Request) Plan {
	plan := Plan{readCardStep(), checkUserStep(), evidenceStep(), settleKeysStep(), secretsStep(), pinStep(), escrowStep(), pukStep()}
	perKey := func(step func(int, KeyRequest) Step) {
		for i, key := range request.Keys {
			plan = append(plan, step(i, key))
		}
	}
	perKey(generateStep)
	perKey(attestStep)
	perKey(requestStep)
	plan = append(plan, certificateStep())
	perKey(chainStep)
	perKey(importStep)
	plan = append(plan, managementKeyStep())
	perKey(possessionStep)
	if request.Review {
		plan = append(plan, reviewStep())
	}
	perKey(keyPairStep)
	return append(plan, identityStep(), recordStep())
}

// keyStep fills in what the steps of one key have in common.
func keyStep(id, title, changes string, key KeyRequest) Step {
	return Step{ID: id, Title: fmt.Sprintf(title, key.Slot), Slot: key.Slot.String(), Changes: changes}
}

// What a step may change.
const (
	changesNothing = "nothing"
	changesCard    = "card"
	changesGmail   = "Gmail"
	changesFiles   = "files"
)
